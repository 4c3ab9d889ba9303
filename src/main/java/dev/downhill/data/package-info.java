/**
 * Data sets: tables of numbers and categories from CSV files, their encoding as features of a
 * model, seeded splits and orders, and generated house sales. Everything random is a function of a
 * seed and gives the same bits on every machine.
 */
@NullMarked
package dev.downhill.data;

import org.jspecify.annotations.NullMarked;
