import type { ReactNode } from 'react';
import { ChevronIcon, ChipIcon, DeviceIcon, ServerIcon } from '../../design/display/icons.tsx';
import { say } from '../../texts/say.ts';

/** Bytes of a real sealed item; what the relay in the picture holds. */
const sealedBytes =
  '01 01 00 00 00 01 c4 7e 2b 90 5d f3 a8 16 e1 4c 77 08 bb 39 d2 6a f0 8e 53 1c 94 e7 2d 60 a5 cb 0f 88 41 de 72 b6 19 fa 3e 95';

/** The way of one question, as the three who handle it see it. */
export function MessageJourney() {
  return (
    <section aria-labelledby="journey" className="pb-20">
      <h2 id="journey" className="sr-only">
        {say('journey.heading')}
      </h2>
      <ol className="grid gap-3 md:grid-cols-[1fr_auto_1fr_auto_1fr] md:items-stretch">
        <Station icon={<DeviceIcon />} place={say('journey.browser')} says={say('journey.browser-does')}>
          <p className="rounded-2xl rounded-br-md bg-accent-soft px-4 py-3">{say('journey.question')}</p>
        </Station>
        <Arrow />
        <Station icon={<ServerIcon />} place={say('journey.relay')} says={say('journey.relay-does')}>
          <p className="rounded-2xl bg-machine px-4 py-3 font-mono text-fine leading-relaxed text-machine-ink">
            <span aria-hidden="true">{sealedBytes}</span>
            <span className="sr-only">{say('journey.relay-bytes')}</span>
          </p>
        </Station>
        <Arrow />
        <Station icon={<ChipIcon />} place={say('journey.enclave')} says={say('journey.enclave-does')}>
          <p className="rounded-2xl rounded-bl-md border border-line bg-raised px-4 py-3">{say('journey.answer')}</p>
        </Station>
      </ol>
    </section>
  );
}

type StationProps = {
  readonly icon: ReactNode;
  readonly place: string;
  readonly says: string;
  readonly children: ReactNode;
};

function Station({ icon, place, says, children }: StationProps) {
  return (
    <li className="flex flex-col rounded-card border border-line bg-surface p-5 shadow-low">
      <h3 className="flex items-center gap-2 font-semibold">
        <span className="text-accent">{icon}</span>
        {place}
      </h3>
      <div className="my-4 flex-1 text-small">{children}</div>
      <p className="text-small text-ink-soft">{says}</p>
    </li>
  );
}

function Arrow() {
  return (
    <li aria-hidden="true" className="grid place-items-center text-ink-faint">
      <ChevronIcon className="rotate-90 md:rotate-0" />
    </li>
  );
}
