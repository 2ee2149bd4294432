const limits = [
  {
    title: 'Nobody can reset your password.',
    text: 'There is no key but yours. At the start you get 24 words that open your account if you forget the password. Without both, your chats are gone.',
  },
  {
    title: 'The relay sees that you are there.',
    text: 'When you write, roughly how much, and from which address. It hides nothing else from you either: in every chat you can look at the very bytes that it holds.',
  },
  {
    title: 'This page comes from the relay.',
    text: 'A dishonest one could send you a changed page. Version and build stand below; whoever builds the published sources gets the same build name.',
  },
];

/** What Sotto does not do, said before anyone signs up. */
export function PlainLimits() {
  return (
    <section aria-labelledby="limits">
      <h2 id="limits" className="font-serif text-page font-medium">
        What you should know
      </h2>
      <ul className="mt-6 grid gap-x-10 gap-y-7 md:grid-cols-3">
        {limits.map(({ title, text }) => (
          <li key={title}>
            <h3 className="font-semibold">{title}</h3>
            <p className="mt-1.5 text-ink-soft">{text}</p>
          </li>
        ))}
      </ul>
    </section>
  );
}
