package hub

import (
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

const defaultRevision = "main"

// A modelName is ORG/NAME at a revision, which is empty if the name has none.
type modelName struct{ repo, revision string }

func (n modelName) String() string {
	if n.revision == "" || n.revision == defaultRevision {
		return n.repo
	}
	return n.repo + "@" + n.revision
}

// namePart is what the hub allows in the name of a model or of its owner.
var namePart = regexp.MustCompile(`^[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?$`)

// parseName reads ORG/NAME or ORG/NAME@REVISION by the hub's rules.
func parseName(text string) (modelName, error) {
	repo, revision, found := strings.Cut(text, "@")
	if found && revision == "" {
		return modelName{}, fmt.Errorf("%q: nothing after @, want a branch, a tag or a commit", text)
	}
	org, name, two := strings.Cut(repo, "/")
	for _, part := range []string{org, name} {
		if !two || !namePart.MatchString(part) || strings.Contains(part, "--") || strings.Contains(part, "..") {
			return modelName{}, fmt.Errorf("%q: want ORG/NAME, of letters, digits, and - . _ between them", text)
		}
	}
	if len(repo) > 96 || strings.HasSuffix(name, ".git") {
		return modelName{}, fmt.Errorf("%q: the hub has no names of more than 96 letters, or that end in .git", text)
	}
	if found {
		if err := checkRevision(revision); err != nil {
			return modelName{}, err
		}
	}
	return modelName{repo, revision}, nil
}

// looksLikePath says whether nobody who writes this means a model's name.
func looksLikePath(text string) bool {
	switch path.Ext(text) {
	case ".safetensors", ".bin", ".pth", ".pt", ".h5", ".json", ".txt": // snap/BEST.pth
		return true
	}
	return text == "" || strings.ContainsAny(text[:1], `./\~`) || strings.Contains(text, `\`) || filepath.IsAbs(text) || filepath.VolumeName(text) != ""
}

// commitHash is a commit's name. Python takes lower case only.
var commitHash = regexp.MustCompile(`^[0-9a-f]{40}$`)

// checkRevision refuses what cannot be a revision: it becomes a file's path below refs/. refs/pr/1 is one.
func checkRevision(revision string) error {
	if len(revision) > 200 || safePath(revision) != nil || strings.ContainsAny(revision, " ?*[^~") {
		return fmt.Errorf("revision %q: want a branch, a tag, or a commit of 40 hexadecimal digits", revision)
	}
	return nil
}

// safePath refuses a slash-separated path that would leave its directory, on any system, or would not be shown as it is.
func safePath(name string) error {
	for _, part := range strings.Split(name, "/") {
		if part == "" || part == "." || part == ".." || strings.HasSuffix(part, ".") || strings.HasSuffix(part, " ") {
			return fmt.Errorf("%w: the path %q", ErrRefused, cut(name))
		}
	}
	for _, r := range name {
		if r < ' ' || r == 0x7f || strings.ContainsRune(`\:`, r) {
			return fmt.Errorf("%w: the path %q", ErrRefused, cut(name))
		}
	}
	if !filepath.IsLocal(filepath.FromSlash(name)) || len(name) > 500 {
		return fmt.Errorf("%w: the path %q", ErrRefused, cut(name))
	}
	return nil
}

// cut bounds what a server says, where it gets into an error.
func cut(text string) string {
	if len(text) > 200 {
		return text[:200] + "…"
	}
	return text
}
