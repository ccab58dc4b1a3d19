package hub

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"os"
	"regexp"
)

// contentHash is what the hub calls contents by.
var contentHash = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

func hashed(etag string) bool { return contentHash.MatchString(etag) }

// verify checks a file's size and hash: SHA-256 of what is in the hub's large-file store, else that of a blob in Git, SHA-1 of a header and the content.
func verify(path string, f *remoteFile) error {
	file, err := os.Open(path)
	if err != nil {
		return &diskError{err}
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return &diskError{err}
	}
	if info.Size() != f.size {
		return fmt.Errorf("%w: found %d bytes, want %d", ErrCorrupt, info.Size(), f.size)
	}
	var sum hash.Hash
	name := "SHA-256"
	if len(f.etag) == 2*sha256.Size {
		sum = sha256.New()
	} else {
		name, sum = "Git's SHA-1", sha1.New()
		fmt.Fprintf(sum, "blob %d\x00", f.size)
	}
	if _, err := io.Copy(sum, file); err != nil {
		return &diskError{err}
	}
	if found := hex.EncodeToString(sum.Sum(nil)); found != f.etag {
		return fmt.Errorf("%w: %s is %s, want %s", ErrCorrupt, name, found, f.etag)
	}
	return nil
}
