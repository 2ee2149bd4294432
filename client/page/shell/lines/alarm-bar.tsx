import { Button } from '../../design/buttons/button.tsx';
import { Notice } from '../../design/display/notice.tsx';
import { alarmDismissed } from '../../state/slices/alarms-slice.ts';
import { failureText } from '../../texts/of-values/failure-texts.ts';
import type { FailureCode } from '../../../vault/api/vault-api.ts';
import { useAppDispatch, useAppSelector } from '../context/app-context.tsx';
import { say } from '../../texts/say.ts';

const integrityCodes: ReadonlySet<FailureCode> = new Set(['vault-tampered', 'vault-rolled-back', 'server-key-changed']);

/** Alarms of the vault, on every page, until the reader takes them away. */
export function AlarmBar() {
  const alarms = useAppSelector((state) => state.alarms);
  const dispatch = useAppDispatch();
  if (alarms.length === 0) return null;
  return (
    <div className="safe-x fixed inset-x-0 top-0 z-20 mx-auto grid max-h-dvh max-w-3xl gap-2 overflow-y-auto py-3">
      {alarms.map((code) => (
        <Notice
          key={code}
          tone="danger"
          urgent
          className="border-danger shadow-high"
          action={<Button onClick={() => dispatch(alarmDismissed(code))}>{say('button.dismiss')}</Button>}
        >
          {integrityCodes.has(code) && <strong>{say('alarm.integrity')} </strong>}
          {failureText({ code })}
        </Notice>
      ))}
    </div>
  );
}
