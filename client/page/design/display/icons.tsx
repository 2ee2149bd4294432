import type { ReactNode } from 'react';

/*
 * One hand: 20 by 20, strokes of 1.6 with round ends, the colour of the text around them. All are decoration: the control that
 * holds one has the name.
 */
type IconProps = { readonly className?: string };

function drawIcon(shape: ReactNode) {
  return function Icon({ className }: IconProps) {
    return (
      <svg
        viewBox="0 0 20 20"
        className={`size-5 shrink-0 ${className ?? ''}`}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.6"
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden="true"
        focusable="false"
      >
        {shape}
      </svg>
    );
  };
}

export const PlusIcon = drawIcon(<path d="M10 4v12M4 10h12" />);
export const PencilIcon = drawIcon(<path d="m12.5 4.5 3 3L7 16H4v-3l8.5-8.5ZM10.5 6.5l3 3" />);
export const TrashIcon = drawIcon(<path d="M4 6h12M8 6V4h4v2m-6.5 0 .7 10h7.6l.7-10M8.5 9v4m3-4v4" />);
export const MenuIcon = drawIcon(<path d="M3.5 6h13M3.5 10h13M3.5 14h8" />);
export const SidebarIcon = drawIcon(
  <>
    <rect x="3" y="4" width="14" height="12" rx="2.5" />
    <path d="M8 4v12" />
  </>,
);
export const MoreIcon = drawIcon(
  <g fill="currentColor" stroke="none">
    <circle cx="5" cy="10" r="1.3" />
    <circle cx="10" cy="10" r="1.3" />
    <circle cx="15" cy="10" r="1.3" />
  </g>,
);
export const CloseIcon = drawIcon(<path d="m5 5 10 10M15 5 5 15" />);
export const ArrowUpIcon = drawIcon(<path d="M10 16V4.5M5 9l5-5 5 5" />);
export const ArrowDownIcon = drawIcon(<path d="M10 4v11.5M5 11l5 5 5-5" />);
export const StopIcon = drawIcon(<rect x="5.5" y="5.5" width="9" height="9" rx="1.5" fill="currentColor" />);
export const CopyIcon = drawIcon(
  <>
    <rect x="7" y="7" width="9.5" height="9.5" rx="2" />
    <path d="M4.5 13a1.5 1.5 0 0 1-1-1.4V5.5a2 2 0 0 1 2-2h6a1.5 1.5 0 0 1 1.4 1" />
  </>,
);
export const CheckIcon = drawIcon(<path d="m4.5 10.5 3.7 3.7 7.3-8" />);
export const CrossIcon = drawIcon(<path d="m6 6 8 8m0-8-8 8" />);
export const DashIcon = drawIcon(<path d="M5.5 10h9" />);
export const RetryIcon = drawIcon(<path d="M16 10a6 6 0 1 1-1.8-4.3L16 7.5M16 3.5v4h-4" />);
export const ChevronIcon = drawIcon(<path d="m7.5 5 5 5-5 5" />);
export const AccountIcon = drawIcon(
  <>
    <circle cx="10" cy="7" r="3.2" />
    <path d="M3.8 16.5c.8-3 3.2-4.5 6.2-4.5s5.4 1.5 6.2 4.5" />
  </>,
);
export const LockIcon = drawIcon(
  <>
    <rect x="4" y="9" width="12" height="8" rx="2" />
    <path d="M6.5 9V6.5a3.5 3.5 0 0 1 7 0V9M10 12.3v1.5" />
  </>,
);
export const SignOutIcon = drawIcon(
  <path d="M8 4H5.5A1.5 1.5 0 0 0 4 5.5v9A1.5 1.5 0 0 0 5.5 16H8m4.5-3 3-3-3-3m3 3H8" />,
);
export const KeyIcon = drawIcon(
  <>
    <circle cx="7" cy="13" r="3.2" />
    <path d="m9.3 10.7 6.2-6.2m-2.5 2.5 2 2" />
  </>,
);
export const ShieldIcon = drawIcon(<path d="M10 2.8 16 5v4.6c0 3.6-2.4 6.2-6 7.6-3.6-1.4-6-4-6-7.6V5l6-2.2Z" />);
export const ShieldAlertIcon = drawIcon(
  <path d="M10 2.8 16 5v4.6c0 3.6-2.4 6.2-6 7.6-3.6-1.4-6-4-6-7.6V5l6-2.2ZM10 7v3.5m0 2.7v.1" />,
);
export const AlertIcon = drawIcon(<path d="M10 3.2 17.5 16h-15L10 3.2ZM10 8v3.5m0 2.3v.1" />);
export const InfoIcon = drawIcon(
  <>
    <circle cx="10" cy="10" r="7" />
    <path d="M10 9.3v4M10 6.6v.1" />
  </>,
);
export const EyeIcon = drawIcon(
  <>
    <path d="M2.5 10S5 5 10 5s7.5 5 7.5 5-2.5 5-7.5 5-7.5-5-7.5-5Z" />
    <circle cx="10" cy="10" r="2.2" />
  </>,
);
export const EyeOffIcon = drawIcon(
  <path d="M4 4l12 12M7.5 5.5A7.5 7.5 0 0 1 10 5c5 0 7.5 5 7.5 5a13 13 0 0 1-2.3 2.9M12 14.7a7 7 0 0 1-2 .3c-5 0-7.5-5-7.5-5a13 13 0 0 1 2.7-3.3" />,
);
export const DownloadIcon = drawIcon(<path d="M10 3.5v9m-4-3.8 4 4 4-4M4 16.5h12" />);
export const PrintIcon = drawIcon(
  <path d="M6 8V3.5h8V8M6 14H4.5A1.5 1.5 0 0 1 3 12.5v-3A1.5 1.5 0 0 1 4.5 8h11A1.5 1.5 0 0 1 17 9.5v3a1.5 1.5 0 0 1-1.5 1.5H14m-8-2.5h8v5H6v-5Z" />,
);
export const ExternalIcon = drawIcon(
  <path d="M8 5H5.5A1.5 1.5 0 0 0 4 6.5v8A1.5 1.5 0 0 0 5.5 16h8a1.5 1.5 0 0 0 1.5-1.5V12M11 4h5v5m0-5-7 7" />,
);
export const ImageIcon = drawIcon(
  <>
    <rect x="3" y="4" width="14" height="12" rx="2" />
    <path d="m5 14 3.5-4 2.5 2.5 1.5-1.5 2.5 3M12.8 7.8v.1" />
  </>,
);
export const ServerIcon = drawIcon(
  <>
    <rect x="3.5" y="4" width="13" height="5" rx="1.5" />
    <rect x="3.5" y="11" width="13" height="5" rx="1.5" />
    <path d="M6.5 6.5h.1m-.1 7h.1" />
  </>,
);
export const ChipIcon = drawIcon(
  <>
    <rect x="5.5" y="5.5" width="9" height="9" rx="2" />
    <path d="M8 2.8v2.7m4-2.7v2.7m-4 9v2.7m4-2.7v2.7M2.8 8h2.7m-2.7 4h2.7m9-4h2.7m-2.7 4h2.7" />
  </>,
);
export const DeviceIcon = drawIcon(
  <>
    <rect x="3" y="4" width="14" height="9.5" rx="1.8" />
    <path d="M7 16.5h6" />
  </>,
);
export const SunMoonIcon = drawIcon(
  <>
    <circle cx="10" cy="10" r="6.5" />
    <path d="M10 3.5a6.5 6.5 0 0 1 0 13Z" fill="currentColor" />
  </>,
);
