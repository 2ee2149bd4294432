import { Writable } from 'node:stream';

/** Keeps all that is written to it. */
export class CapturedOutput extends Writable {
  text = '';

  override _write(piece: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += piece.toString('utf8');
    done();
  }
}
