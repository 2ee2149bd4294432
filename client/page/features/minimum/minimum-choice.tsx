import { useState } from 'react';
import { isAtLeast, protectionLevels } from '../../../../crypto/protocol/protection-level.ts';
import { Button } from '../../design/buttons/button.tsx';
import { Notice } from '../../design/display/notice.tsx';
import { RadioList } from '../../design/fields/radio-list.tsx';
import { failureText } from '../../texts/of-values/failure-texts.ts';
import { levelName, levelPhrase } from '../../texts/of-values/protection-texts.ts';
import type { MinimumView, ProtectionLevel, VaultFailure } from '../../../vault/api/vault-api.ts';
import { useVaultView, useVault } from '../../shell/context/app-context.tsx';
import { writeTime } from '../../texts/of-values/time-texts.ts';
import { say } from '../../texts/say.ts';

const nothingAsked: MinimumView = { account: null, conversation: null, effective: 'any', strongest: 'any' };

/** A person sets here what every enclave must offer; it is kept sealed with the account, so no relay reads or changes it. */
export function MinimumChoice({ conversationId }: { readonly conversationId: string | null }) {
  const vault = useVault();
  const minimum = useVaultView('minimum') ?? nothingAsked;
  const [failure, setFailure] = useState<VaultFailure | null>(null);
  /** Until the vault has it: what was pressed is shown at once. */
  const [pressed, setPressed] = useState<ProtectionLevel | null>(null);
  const chosen = pressed ?? minimum.account?.value ?? 'any';
  const isOutOfReach = !isAtLeast(minimum.strongest, minimum.effective);

  async function choose(level: ProtectionLevel) {
    setPressed(level);
    const result = await vault.call((api) => api.setMinimum({ level }));
    setPressed((now) => (now === level ? null : now));
    setFailure(result.ok ? null : result.failure);
  }
  async function takeBack() {
    const result = await vault.call((api) => api.setConversationMinimum({ conversationId, level: chosen }));
    setFailure(result.ok ? null : result.failure);
  }

  const own = minimum.conversation;
  return (
    <div className="grid gap-3">
      <RadioList
        legend={say('minimum.legend')}
        value={chosen}
        options={protectionLevels.map((level) => ({ value: level, label: levelName(level) }))}
        onChange={(level) => void choose(level)}
      />
      {own !== null && own.value !== chosen && (
        <Notice
          tone="caution"
          className="text-small"
          action={<Button onClick={() => void takeBack()}>{say('minimum.ask-here')}</Button>}
        >
          {say('minimum.own', { level: levelPhrase(own.value), time: writeTime(own.setAtMs, 'day-and-time') })}
        </Notice>
      )}
      {isOutOfReach && (
        <Notice tone="caution" className="text-small">
          {say('minimum.out-of-reach')}
        </Notice>
      )}
      {failure !== null && (
        <Notice tone="danger" urgent>
          {failureText(failure)}
        </Notice>
      )}
    </div>
  );
}
