type ProgressBarProps = {
  readonly label: string;
  /** 0 to 1; null where the end is not known. */
  readonly value: number | null;
};

export function ProgressBar({ label, value }: ProgressBarProps) {
  const percent = value === null ? undefined : Math.round(value * 100);
  return (
    <div
      // A <progress> cannot be given the same look in all browsers.
      // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
      className="h-1.5 w-full overflow-hidden rounded-full bg-sunken"
    >
      <div
        className={`h-full rounded-full bg-accent transition-[width] duration-500 ${value === null ? 'breathe' : ''}`}
        style={{ width: `${percent ?? 100}%` }}
      />
    </div>
  );
}
