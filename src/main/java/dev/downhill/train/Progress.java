package dev.downhill.train;

/**
 * How far a run is.
 *
 * @param epoch the present epoch, counted from 1
 * @param epochs how many there will be
 * @param step optimiser steps taken
 * @param steps how many there will be
 * @param loss the mean training loss of this epoch so far
 * @param examplesPerSecond since the start of the run, validation left out
 * @param secondsLeft as the run goes now
 */
public record Progress(
    int epoch,
    int epochs,
    long step,
    long steps,
    double loss,
    double examplesPerSecond,
    double secondsLeft) {}
