import { useEffect, useState } from 'react';
import { estimateStrength, type PasswordStrength } from './password-strength.ts';

const names = ['very weak', 'weak', 'fair', 'good', 'strong'] as const;
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
      <output className="block">
        {score === null
          ? 'At least 12 characters. Long is better than tricky: four or five unrelated words do well.'
          : meterText(score, strength)}
      </output>
    </>
  );
}

/** The vault takes no password below this length, however odd its characters. */
const shortestTaken = 12;

function cappedScore(score: PasswordStrength['score'], password: string): PasswordStrength['score'] {
  return password.length < shortestTaken && score > 1 ? 1 : score;
}

function meterText(score: PasswordStrength['score'], strength: PasswordStrength | null): string {
  const advice = score < 3 ? ` ${strength?.advice ?? 'Use at least 12 characters.'}` : '';
  return `Strength: ${names[score]}.${advice}`;
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
