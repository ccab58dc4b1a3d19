//go:build !unix

package atomicfile

// SyncDir does nothing: Windows has no sync for a directory and journals its renames.
func SyncDir(string) error { return nil }
