package dev.downhill.train;

import java.util.List;

/**
 * What a training run measured.
 *
 * @param lossFirst the loss of the first step, before it
 * @param epochs one entry per epoch, in order
 */
public record History(double lossFirst, List<Epoch> epochs) {
  /** Copies the list. */
  public History {
    epochs = List.copyOf(epochs);
  }

  /**
   * One epoch.
   *
   * @param epoch counted from 1
   * @param step optimiser steps taken so far
   * @param rate the learning rate of the last step
   * @param loss the mean training loss of the epoch's examples, each before its step
   * @param validationLoss the mean loss over the validation set after the epoch
   * @param metric the metric over the validation set after the epoch
   * @param seconds since the start of the run
   */
  public record Epoch(
      int epoch,
      long step,
      double rate,
      double loss,
      double validationLoss,
      double metric,
      double seconds) {}

  /** The last epoch. */
  public Epoch last() {
    return epochs.getLast();
  }
}
