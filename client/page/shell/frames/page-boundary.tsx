import { Component, type ReactNode } from 'react';
import { UnshownPage } from './plain-page.tsx';

type PageBoundaryProps = { readonly children: ReactNode };
type PageBoundaryState = { readonly hasFailed: boolean };

/** Where a page's script did not come, or a page fails while it is drawn, another one says so: React would leave it blank. */
export class PageBoundary extends Component<PageBoundaryProps, PageBoundaryState> {
  static getDerivedStateFromError(): PageBoundaryState {
    return { hasFailed: true };
  }

  override state: PageBoundaryState = { hasFailed: false };

  override render(): ReactNode {
    return this.state.hasFailed ? <UnshownPage /> : this.props.children;
  }
}
