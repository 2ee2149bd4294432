import type { ReactNode } from 'react';
import { classNames } from '../styles/class-names.ts';
import { AlertIcon, InfoIcon } from './icons.tsx';

export type NoticeTone = 'calm' | 'caution' | 'danger';

const tones: Record<NoticeTone, string> = {
  calm: 'bg-accent-soft text-ink border-transparent',
  caution: 'bg-caution-soft text-caution border-transparent',
  danger: 'bg-danger-soft text-danger border-transparent',
};

type NoticeProps = {
  readonly tone: NoticeTone;
  /** Read out at once: only for what the person must know now. */
  readonly urgent?: boolean;
  readonly action?: ReactNode;
  readonly className?: string;
  readonly children: ReactNode;
};

export function Notice({ tone, urgent = false, action, className, children }: NoticeProps) {
  const Icon = tone === 'calm' ? InfoIcon : AlertIcon;
  return (
    <div
      role={urgent ? 'alert' : undefined}
      className={classNames(
        'flex flex-wrap items-center gap-x-4 gap-y-2 rounded-control border px-4 py-3',
        tones[tone],
        className,
      )}
    >
      <div className="flex min-w-[min(16rem,100%)] flex-1 items-start gap-3">
        <Icon className="mt-0.75" />
        <div className="min-w-0 flex-1">{children}</div>
      </div>
      {action}
    </div>
  );
}
