import { ZxcvbnFactory } from '@zxcvbn-ts/core';
import { adjacencyGraphs, dictionary } from '@zxcvbn-ts/language-common';

/*
 * 200 KB of common passwords and words: loaded when someone chooses a password, never before. The lists of English names and
 * articles would be 550 KB more and catch little that length does not.
 * Without texts of its own it says its advice in codes.
 */
export const estimator = new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs });
