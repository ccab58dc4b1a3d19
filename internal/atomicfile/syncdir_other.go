//go:build !unix

package atomicfile

// syncDir does nothing: Windows has no sync for a directory and journals its renames.
func syncDir(string) error { return nil }
