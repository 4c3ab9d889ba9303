/** Films for users: embeddings, and what one thumbs-down does. */
@NullMarked
package dev.downhill.jobs.recommender;

import org.jspecify.annotations.NullMarked;
