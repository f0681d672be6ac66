// Package upkeep is what is done to lines: made, updated, resolved, verified, released, as steps that a killed run can take up again.
//
// It owns the interfaces through which it works on the world: [Files] for the project's directory, [Repository] for upstream's clone and the
// project's own store, [Builder] and [Packager] for what runs and packs sources. It reads no clock: a time that matters is given.
//
// Promise: with equal input and an equal time two runs write equal bytes. A run that is killed at any moment leaves files that can be
// read, and the next run finishes what it left. Nothing is published and no ref of upstream's clone is touched.
package upkeep
