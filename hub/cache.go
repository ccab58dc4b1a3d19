package hub

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-lxmert/lxmert/internal/atomicfile"
	"github.com/go-lxmert/lxmert/internal/plainfile"
)

// A repoCache is a model's part of the cache, as huggingface_hub lays it out:
//
//	models--ORG--NAME/
//	    blobs/<etag>                   content, under its hash; <etag>.incomplete while it is downloaded
//	    refs/main                      the commit that a branch or tag was last known to be at, without a newline
//	    snapshots/<commit>/<file>      a relative link to the blob
//	    .no_exist/<commit>/<file>      empty: the commit has no such file
//	.locks/models--ORG--NAME/<etag>.lock
//	CACHEDIR.TAG
type repoCache struct{ dir, locks string }

func newRepoCache(root, repo string) repoCache {
	folder := "models--" + strings.ReplaceAll(repo, "/", "--")
	return repoCache{filepath.Join(root, folder), filepath.Join(root, ".locks", folder)}
}

func (c repoCache) blob(etag string) string    { return filepath.Join(c.dir, "blobs", etag) }
func (c repoCache) partial(etag string) string { return c.blob(etag) + ".incomplete" }
func (c repoCache) lock(etag string) string    { return filepath.Join(c.locks, etag+".lock") }
func (c repoCache) snapshot(commit string) string {
	return filepath.Join(c.dir, "snapshots", commit)
}
func (c repoCache) file(commit, name string) string {
	return filepath.Join(c.snapshot(commit), filepath.FromSlash(name))
}
func (c repoCache) absence(commit, name string) string {
	return filepath.Join(c.dir, ".no_exist", commit, filepath.FromSlash(name))
}
func (c repoCache) ref(revision string) string {
	return filepath.Join(c.dir, "refs", filepath.FromSlash(revision))
}

// has tells whether a file is there, and what a link to it points to.
func (c repoCache) has(commit, name string) bool { return isFile(c.file(commit, name)) }

// lacks tells whether it is known that the commit has no such file.
func (c repoCache) lacks(commit, name string) bool { return isFile(c.absence(commit, name)) }

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// commitOf is the commit that a revision was last known to be at; empty: it is not known.
func (c repoCache) commitOf(revision string) string {
	if commitHash.MatchString(revision) {
		return revision
	}
	content, err := plainfile.Read(c.ref(revision), 100)
	if commit := strings.TrimSpace(string(content)); err == nil && commitHash.MatchString(commit) {
		return commit
	}
	return ""
}

// remember writes down which commit a revision is at.
func (c repoCache) remember(revision, commit string) error {
	if revision == commit || c.commitOf(revision) == commit {
		return nil
	}
	path := c.ref(revision)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return atomicfile.WriteBytes(path, 0o666, []byte(commit))
}

// backupNote tells programs that make backups that what is here can be had again, in Python's words.
const backupNote = "Signature: 8a477f597d28d172789f06886806bc55\n# This file is a cache directory tag created by huggingface_hub.\n" +
	"# For information about cache directory tags, see:\n#\thttps://bford.info/cachedir/\n"

// tag puts the note there; that it cannot be written is no harm.
func (c repoCache) tag() {
	path := filepath.Join(filepath.Dir(c.dir), "CACHEDIR.TAG")
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		_ = atomicfile.WriteBytes(path, 0o666, []byte(backupNote))
	}
}

// ruleOut writes down that a commit has no such file, so that nobody asks for it again.
func (c repoCache) ruleOut(commit, name string) error {
	path := c.absence(commit, name)
	if isFile(path) {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	return file.Close()
}

// place makes a blob appear in a snapshot under its name: by a relative link, or where the system has none by another name for
// the same content, or a copy.
func (c repoCache) place(etag, commit, name string, noSymlinks bool) error {
	path, blob := c.file(commit, name), c.blob(etag)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	target, err := filepath.Rel(filepath.Dir(path), blob)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) { // a link to nowhere
		return err
	}
	if !noSymlinks {
		if err := os.Symlink(target, path); err == nil || errors.Is(err, fs.ErrExist) && isFile(path) {
			return nil
		}
	}
	if err := os.Link(blob, path); err == nil || errors.Is(err, fs.ErrExist) && isFile(path) {
		return nil
	}
	content, err := os.Open(blob)
	if err != nil {
		return err
	}
	defer content.Close()
	file, err := atomicfile.Create(path, 0o666)
	if err != nil {
		return err
	}
	defer file.Discard()
	if _, err := content.WriteTo(file); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return file.Commit()
}

// commits are those of which there is something, the newest first.
func (c repoCache) commits() []string {
	entries, _ := os.ReadDir(filepath.Join(c.dir, "snapshots"))
	written := map[string]time.Time{}
	var commits []string
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && entry.IsDir() && commitHash.MatchString(entry.Name()) {
			commits = append(commits, entry.Name())
			written[entry.Name()] = info.ModTime()
		}
	}
	slices.SortStableFunc(commits, func(a, b string) int { return written[b].Compare(written[a]) })
	return commits
}
