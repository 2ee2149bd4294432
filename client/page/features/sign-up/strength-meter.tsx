import { useEffect, useState } from 'react';
import { estimateStrength, type PasswordStrength } from './password-strength.ts';
import { say } from '../../texts/say.ts';

const colours = ['bg-danger', 'bg-danger', 'bg-caution', 'bg-accent', 'bg-accent'] as const;

type StrengthMeterProps = { readonly password: string; readonly userName: string };

export function StrengthMeter({ password, userName }: StrengthMeterProps) {
  const [strength, setStrength] = useState<PasswordStrength | null>(null);

  useEffect(() => {
    let current = true;
    const judgeNow = async () => {
      const next = await judge(password, userName);
      if (current) setStrength(next);
    };
    const timer = setTimeout(() => void judgeNow(), 150);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [password, userName]);

  const score = password === '' || strength === null ? null : cappedScore(strength.score, password);
  return (
    <>
      <span className="flex gap-1.5 py-1" aria-hidden="true">
        {[0, 1, 2, 3].map((step) => (
          <span
            key={step}
            className={`h-1.5 flex-1 rounded-full ${score !== null && step < Math.max(1, score) ? colours[score] : 'bg-line'}`}
          />
        ))}
      </span>
      <output className="block">{score === null ? say('strength.empty') : meterText(score, strength)}</output>
    </>
  );
}

/** The vault takes no password below this length, however odd its characters. */
const shortestTaken = 12;

function cappedScore(score: PasswordStrength['score'], password: string): PasswordStrength['score'] {
  return password.length < shortestTaken && score > 1 ? 1 : score;
}

function meterText(score: PasswordStrength['score'], strength: PasswordStrength | null): string {
  const said = say('strength.is', { strength: say(`strength.${score}`) });
  if (score >= 3) return said;
  const advice = strength?.advice ?? null;
  return `${said} ${advice === null ? say('strength.short') : say(`password.${advice}`)}`;
}

async function judge(password: string, userName: string): Promise<PasswordStrength | null> {
  if (password === '') return null;
  try {
    return await estimateStrength(password, userName);
  } catch {
    // Offline before the word lists came: no estimate is better than a wrong one.
    return null;
  }
}
