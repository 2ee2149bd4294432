import { Menu as BaseMenu } from '@base-ui/react/menu';
import { createContext, use, useCallback, useRef, useState, type ReactElement, type ReactNode } from 'react';
import { classNames } from '../styles/class-names.ts';
import { CheckIcon } from '../display/icons.tsx';

/** Takes what an item does, and does it once its menu is gone. */
const AfterClose = createContext<(act: () => void) => void>((act) => act());

type MenuProps = {
  /** The element that opens it; it carries the name. */
  readonly trigger: ReactElement;
  readonly side?: 'top' | 'bottom';
  readonly align?: 'start' | 'end';
  readonly children: ReactNode;
};

/**
 * A button with a list of things to do. An item's action begins when the menu is gone and its button has the focus again: a
 * dialog that opened earlier would lose the focus to a drawer around both.
 */
export function Menu({ trigger, side = 'bottom', align = 'end', children }: MenuProps) {
  // Beside its trigger in the document, so that it belongs to the landmark that the trigger is in.
  const [place, setPlace] = useState<HTMLElement | null>(null);
  const chosen = useRef<(() => void) | null>(null);
  const afterClose = useCallback((act: () => void) => {
    chosen.current = act;
  }, []);
  function onOpenChangeComplete(isOpen: boolean) {
    const act = chosen.current;
    chosen.current = null;
    if (!isOpen) act?.();
  }
  return (
    <BaseMenu.Root onOpenChangeComplete={onOpenChangeComplete}>
      <BaseMenu.Trigger render={trigger} />
      <span ref={setPlace} className="contents" />
      <BaseMenu.Portal container={place}>
        <BaseMenu.Positioner
          positionMethod="fixed"
          side={side}
          align={align}
          sideOffset={6}
          collisionPadding={8}
          className="z-10 outline-none"
        >
          <BaseMenu.Popup className="popup-motion max-h-(--available-height) min-w-[min(14rem,var(--available-width))] overflow-y-auto rounded-control border border-line bg-raised p-1.5 text-small shadow-high outline-none">
            <AfterClose value={afterClose}>{children}</AfterClose>
          </BaseMenu.Popup>
        </BaseMenu.Positioner>
      </BaseMenu.Portal>
    </BaseMenu.Root>
  );
}

const itemClasses =
  'flex min-h-10 touch:min-h-11 w-full items-center gap-3 rounded-lg px-3 py-1.5 text-left outline-none ' +
  'data-highlighted:bg-accent-soft';

type MenuItemProps = {
  readonly icon?: ReactNode;
  readonly tone?: 'plain' | 'danger';
  readonly onSelect: () => void;
  readonly children: ReactNode;
};

export function MenuItem({ icon, tone = 'plain', onSelect, children }: MenuItemProps) {
  const afterClose = use(AfterClose);
  return (
    <BaseMenu.Item
      onClick={() => afterClose(onSelect)}
      className={classNames(itemClasses, tone === 'danger' && 'text-danger')}
    >
      {icon}
      {children}
    </BaseMenu.Item>
  );
}

type MenuChoiceProps<T extends string> = {
  readonly label: string;
  readonly value: T;
  readonly options: readonly { readonly value: T; readonly label: string }[];
  readonly onChange: (value: T) => void;
};

/** One of a few; the menu stays open, so that the effect can be seen. */
export function MenuChoice<T extends string>({ label, value, options, onChange }: MenuChoiceProps<T>) {
  return (
    <BaseMenu.RadioGroup
      value={value}
      onValueChange={(next: unknown) => {
        const chosen = options.find((option) => option.value === next);
        if (chosen !== undefined) onChange(chosen.value);
      }}
      aria-label={label}
    >
      <p aria-hidden="true" className="px-3 pt-1.5 pb-0.5 text-fine text-ink-faint">
        {label}
      </p>
      {options.map((option) => (
        <BaseMenu.RadioItem key={option.value} value={option.value} closeOnClick={false} className={itemClasses}>
          <span className="flex size-5 items-center justify-center">
            <BaseMenu.RadioItemIndicator>
              <CheckIcon />
            </BaseMenu.RadioItemIndicator>
          </span>
          {option.label}
        </BaseMenu.RadioItem>
      ))}
    </BaseMenu.RadioGroup>
  );
}

export function MenuLine() {
  return <BaseMenu.Separator className="mx-2 my-1.5 h-px bg-line" />;
}

export function MenuNote({ children }: { readonly children: ReactNode }) {
  return <p className="px-3 py-1.5 text-fine text-ink-faint">{children}</p>;
}
