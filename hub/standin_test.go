package hub

import (
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	testRepo  = "some-org/tiny.model"
	oldCommit = "0123456789abcdef0123456789abcdef01234567"
	newCommit = "89abcdef0123456789abcdef0123456789abcdef"
)

// A standIn is a hub on this machine. It answers as huggingface.co does: files in Git have their SHA-1 as ETag and are sent from the hub itself, behind a
// relative redirect; large ones have a SHA-256 in X-Linked-Etag and come from another host.
type standIn struct {
	*httptest.Server
	store *httptest.Server // for large files
	t     *testing.T

	mu       sync.Mutex
	commits  map[string]map[string]string // commit → file → content
	branches map[string]string
	large    func(name string) bool
	asked    []string // METHOD path, [+range], in order
	// before answers in place of the stand-in if it returns true; n counts from 1 for the same method and path.
	before func(w http.ResponseWriter, r *http.Request, n int) bool
	count  map[string]int
}

func newStandIn(t *testing.T) *standIn {
	s := &standIn{
		t: t, commits: map[string]map[string]string{}, branches: map[string]string{}, count: map[string]int{},
		large: func(name string) bool {
			return strings.HasSuffix(name, ".safetensors") || strings.HasSuffix(name, ".bin")
		},
	}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	s.store = httptest.NewServer(http.HandlerFunc(s.serveStore))
	t.Cleanup(s.Close)
	t.Cleanup(s.store.Close)
	s.commits[oldCommit] = tinyModel("old")
	s.branches["main"] = oldCommit
	return s
}

// tinyModel has one file of each kind, and some that nobody needs.
func tinyModel(version string) map[string]string {
	return map[string]string{
		"config.json": `{"version": "` + version + `"}`, "vocab.txt": "[PAD]\n[UNK]\n", "tokenizer_config.json": "{}",
		"model.safetensors": strings.Repeat(version+" weights ", 100_000), "pytorch_model.bin": "pickle", "README.md": "read me", "onnx/model.onnx": "no",
	}
}

func (s *standIn) serve(w http.ResponseWriter, r *http.Request) {
	if s.note(w, r) {
		return
	}
	path := r.URL.Path
	if rest, ok := strings.CutPrefix(path, "/api/models/"+testRepo+"/revision/"); ok {
		s.listing(w, rest)
		return
	}
	for _, front := range []string{"/" + testRepo + "/resolve/", "/api/resolve-cache/"} {
		if rest, ok := strings.CutPrefix(path, front); ok {
			s.file(w, r, rest, front[1:] == "api/resolve-cache/")
			return
		}
	}
	deny(w, http.StatusUnauthorized, "RepoNotFound", "Invalid username or password.")
}

// note keeps what was asked, and lets the test answer first.
func (s *standIn) note(w http.ResponseWriter, r *http.Request) bool {
	s.mu.Lock()
	key := r.Method + " " + r.URL.Path
	s.count[key]++
	n, before := s.count[key], s.before
	s.asked = append(s.asked, strings.TrimSpace(key+" "+r.Header.Get("Range")))
	s.mu.Unlock()
	return before != nil && before(w, r, n)
}

func deny(w http.ResponseWriter, code int, reason, message string) {
	w.Header().Set("X-Error-Code", reason)
	w.Header().Set("X-Error-Message", message)
	w.WriteHeader(code)
}

func (s *standIn) listing(w http.ResponseWriter, revision string) {
	commit := revision
	if at, ok := s.branches[revision]; ok {
		commit = at
	}
	files, ok := s.commits[commit]
	if !ok {
		deny(w, http.StatusNotFound, "RevisionNotFound", "Invalid rev id: "+revision)
		return
	}
	type sibling struct {
		Name string `json:"rfilename"`
	}
	var siblings []sibling
	for _, name := range slices.Sorted(maps.Keys(files)) {
		siblings = append(siblings, sibling{name})
	}
	json.NewEncoder(w).Encode(map[string]any{"id": testRepo, "sha": commit, "siblings": siblings, "private": false})
}

func (s *standIn) file(w http.ResponseWriter, r *http.Request, rest string, second bool) {
	commit, name, _ := strings.Cut(rest, "/")
	content, ok := s.commits[commit][name]
	w.Header().Set("X-Repo-Commit", commit)
	switch {
	case !ok:
		deny(w, http.StatusNotFound, "EntryNotFound", "Entry not found")
	case s.large(name):
		sum := sha256.Sum256([]byte(content))
		w.Header().Set("X-Linked-Etag", `"`+hex.EncodeToString(sum[:])+`"`)
		w.Header().Set("X-Linked-Size", strconv.Itoa(len(content)))
		w.Header().Set("ETag", `"the-redirect's"`)
		w.Header().Set("Location", s.store.URL+"/store/"+rest+"?signature=1")
		w.WriteHeader(http.StatusFound)
	case !second:
		w.Header().Set("Location", "/api/resolve-cache/"+rest)
		w.WriteHeader(http.StatusTemporaryRedirect)
	default:
		w.Header().Set("ETag", `"`+gitHash(content)+`"`)
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(content))
	}
}

func (s *standIn) serveStore(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "" || r.Header.Get("Cookie") != "" {
		s.t.Errorf("the token went to another host: %s", r.URL)
	}
	if s.note(w, r) {
		return
	}
	commit, name, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/store/"), "/")
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(s.commits[commit][name]))
}

func gitHash(content string) string {
	sum := sha1.Sum(fmt.Appendf(nil, "blob %d\x00%s", len(content), content))
	return hex.EncodeToString(sum[:])
}

func contentSHA256(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}

// requests are those whose text contains all parts.
func (s *standIn) requests(parts ...string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []string
	for _, request := range s.asked {
		if !slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(request, part) }) {
			found = append(found, request)
		}
	}
	return found
}

func (s *standIn) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked, s.count = nil, map[string]int{}
}

// intercept answers requests for a method and a path's end.
func (s *standIn) intercept(method, end string, answer func(w http.ResponseWriter, r *http.Request, n int) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = func(w http.ResponseWriter, r *http.Request, n int) bool {
		return r.Method == method && strings.HasSuffix(r.URL.Path, end) && answer(w, r, n)
	}
}

// A desk is a cache and the options to use it with a stand-in.
type desk struct {
	Options
	notes []string
}

func (s *standIn) desk(t *testing.T) *desk {
	quietEnvironment(t)
	d := &desk{}
	d.Options = Options{Cache: filepath.Join(t.TempDir(), "hub"), Endpoint: s.URL, pause: time.Millisecond, LabelsEndpoint: s.store.URL,
		Note: func(text string) { d.notes = append(d.notes, text) }}
	return d
}

// quietEnvironment takes away what the developer's own may have.
func quietEnvironment(t *testing.T) {
	t.Helper()
	for _, name := range []string{"HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_ENDPOINT",
		"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_ETAG_TIMEOUT", "HF_HUB_DOWNLOAD_TIMEOUT", "HF_HUB_DISABLE_SYMLINKS", "HF_HUB_DISABLE_IMPLICIT_TOKEN",
		"LXMERT_LABELS_ENDPOINT", "HTTP_PROXY", "HTTPS_PROXY"} {
		t.Setenv(name, "")
	}
	t.Setenv("HF_TOKEN_PATH", filepath.Join(t.TempDir(), "no-token"))
}

func (d *desk) pull(t *testing.T, name string) *Snapshot {
	t.Helper()
	snapshot, err := Pull(context.Background(), name, d.Options)
	if err != nil {
		t.Fatal(err)
	}
	return snapshot
}

// fails pulls and wants an error of a kind that says all that.
func (d *desk) fails(t *testing.T, name string, kind error, words ...string) error {
	t.Helper()
	snapshot, err := Pull(context.Background(), name, d.Options)
	wantError(t, err, kind, words...)
	if snapshot != nil {
		t.Errorf("found a snapshot beside the error: %+v", snapshot)
	}
	return err
}

func wantError(t *testing.T, err, kind error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("found no error")
	}
	if kind != nil && !errors.Is(err, kind) {
		t.Errorf("%v: want it to be %q", err, kind)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%v: want it to say %q", err, word)
		}
	}
}

// tree lists a directory: files with their content, links with their target.
func tree(t *testing.T, root string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.Walk(root, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() {
			return err
		}
		name, _ := filepath.Rel(root, path)
		name = filepath.ToSlash(name)
		if info.Mode()&os.ModeSymlink != 0 {
			target, err := os.Readlink(path)
			found[name] = "→ " + filepath.ToSlash(target)
			return err
		}
		content, err := os.ReadFile(path)
		found[name] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// write puts a file there, and its directory.
func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
