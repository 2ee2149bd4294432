import { Component, type ReactNode } from 'react';

type RenderGuardProps = {
  /** The text that is rendered; when it changes after a failure, rendering is tried again. */
  readonly text: string;
  readonly fallback: ReactNode;
  readonly children: ReactNode;
};

type RenderGuardState = { readonly failedText: string | null };

/** Where formatting fails, the words stand there as they are, and everything around goes on. */
export class RenderGuard extends Component<RenderGuardProps, RenderGuardState> {
  override state: RenderGuardState = { failedText: null };

  static getDerivedStateFromError(): Partial<RenderGuardState> {
    return { failedText: '' };
  }

  static getDerivedStateFromProps(props: RenderGuardProps, state: RenderGuardState): Partial<RenderGuardState> | null {
    if (state.failedText === null) return null;
    // Right after the failure: this is the text that failed.
    if (state.failedText === '') return { failedText: props.text };
    return state.failedText === props.text ? null : { failedText: null };
  }

  override render(): ReactNode {
    return this.state.failedText === null ? this.props.children : this.props.fallback;
  }
}
