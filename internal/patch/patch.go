// Package patch has a change as data: which files of a tree differ from another tree's, which of them are the same file under
// another name, and where whole directories went; and what identifies a change wherever it was applied.
//
// Words: a change is one path that differs; a rename pairs a deleted file with an added one; a move is a directory whose files went
// elsewhere. Promises: results are values in a fixed order, the same for the same trees; objects are read through [git.Objects] and
// only where they are needed; an object that is absent is an error where the answer depends on it, and is named in the result where it
// only might have. Everything is bounded. The package merges nothing and writes nothing.
package patch
