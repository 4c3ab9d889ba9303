package dev.downhill.jobs.pathologies;

import static java.util.Objects.requireNonNull;

import java.util.Map;

/**
 * How every therapy went.
 *
 * @param all in the order they were tried
 */
record Courses(Map<Therapy, Course> all) {
  Course of(Therapy t) {
    return requireNonNull(all.get(t));
  }
}
