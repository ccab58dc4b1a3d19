package hub

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestRefusals: what the hub does not give out, and what it says to do about it.
func TestRefusals(t *testing.T) {
	listing := "/api/models/" + testRepo + "/revision/main"
	for _, c := range []struct {
		name, model, token, end string
		method                  string
		code                    int
		reason, message         string
		kind                    error
		words                   []string
	}{
		{name: "no such model", model: "some-org/other", kind: ErrNotFound, words: []string{"some-org/other: ", "no such model, or it is private", "HF_TOKEN"}},
		{name: "no such model, with a token", model: testRepo, token: "x", end: listing, code: 404, reason: "RepoNotFound", kind: ErrNotFound, words: []string{"no such model"}},
		{name: "no such revision", model: testRepo + "@v9", kind: ErrNotFound, words: []string{testRepo + "@v9", `no revision "v9"`}},
		{name: "gated", model: testRepo, end: listing, code: 403, reason: "GatedRepo", kind: ErrAccess, words: []string{"gated", "licence", "/" + testRepo, "HF_TOKEN"}},
		{name: "gated, a file", model: testRepo, end: "/config.json", method: "HEAD", code: 401, reason: "GatedRepo", kind: ErrAccess, words: []string{"config.json", "gated"}},
		{name: "gated, with a token", model: testRepo, token: "x", end: listing, code: 403, reason: "GatedRepo", kind: ErrAccess, words: []string{"with the token's account"}},
		{name: "bad token", model: testRepo, token: "x", end: listing, code: 401, message: "Invalid credentials in Authorization header", kind: ErrAccess, words: []string{"token is not valid", "Invalid credentials"}},
		{name: "forbidden", model: testRepo, token: "x", end: listing, code: 403, kind: ErrAccess, words: []string{"does not open this model"}},
		{name: "no such file", model: testRepo, end: "vocab.txt", method: "HEAD", code: 404, reason: "EntryNotFound", kind: ErrNotFound, words: []string{"vocab.txt", "no such file"}},
		{name: "teapot", model: testRepo, end: listing, code: 418, message: "\u009b2Jshort and stout", words: []string{"418", `"\u009b2Jshort and stout"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStandIn(t)
			d := s.desk(t)
			d.Token = c.token
			if c.method == "" {
				c.method = "GET"
			}
			if c.code != 0 {
				s.intercept(c.method, c.end, func(w http.ResponseWriter, r *http.Request, _ int) bool {
					deny(w, c.code, c.reason, c.message)
					return true
				})
			}
			err := d.fails(t, c.model, c.kind, c.words...)
			if strings.Contains(err.Error(), "\u009b") {
				t.Errorf("%q writes to the terminal", err)
			}
			if n := s.requests(c.method, c.end); c.code != 0 && len(n) != 1 {
				t.Errorf("found %d requests, want one: no use in asking again", len(n))
			}
		})
	}
}

// TestPassing: troubles that pass are waited for.
func TestPassing(t *testing.T) {
	for name, end := range map[string]string{"listing": "/revision/main", "head": "", "content": ""} {
		t.Run(name, func(t *testing.T) {
			s := newStandIn(t)
			d := s.desk(t)
			method := map[string]string{"listing": "GET", "head": "HEAD", "content": "GET"}[name]
			if end == "" {
				end = "model.safetensors"
			}
			s.intercept(method, end, func(w http.ResponseWriter, r *http.Request, n int) bool {
				switch n {
				case 1:
					w.WriteHeader(http.StatusInternalServerError)
				case 2:
					panic(http.ErrAbortHandler) // the connection ends
				case 3:
					w.WriteHeader(http.StatusServiceUnavailable)
				default:
					return false
				}
				return true
			})
			d.pull(t, testRepo)
		})
	}
}

// TestTooMany: 429 is repeated after as long as it asks for, but not if that is too long.
func TestTooMany(t *testing.T) {
	s := newStandIn(t)
	d := s.desk(t)
	header, value := "Retry-After", "1"
	s.intercept("GET", "/revision/main", func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n == 1 {
			w.Header().Set(header, value)
			w.WriteHeader(http.StatusTooManyRequests)
		}
		return n == 1
	})
	start := time.Now()
	d.pull(t, testRepo)
	if spent := time.Since(start); spent < time.Second || spent > 10*time.Second {
		t.Errorf("waited %v, want 1 s", spent)
	}
	for _, header = range []string{"Retry-After", "RateLimit"} {
		value = map[string]string{"Retry-After": "3600", "RateLimit": `"api";r=0;t=3599`}[header]
		s.forget()
		fresh := s.desk(t)
		fresh.fails(t, testRepo, ErrUnreachable, "429", "left alone for 1h0m0s")
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, c := range []struct {
		name, value string
		want        time.Duration
	}{
		{"Retry-After", "7", 7 * time.Second}, {"Retry-After", "-7", 0}, {"Retry-After", "1e9", 0}, {"Retry-After", "", 0},
		{"Retry-After", now.Add(time.Minute).Format(http.TimeFormat), time.Minute}, {"Retry-After", now.Add(-time.Minute).Format(http.TimeFormat), 0},
		{"RateLimit", `"api";r=0;t=55`, 56 * time.Second}, {"RateLimit", `"api";r=3;t=55`, 0},
	} {
		if got := retryAfter(http.Header{http.CanonicalHeaderKey(c.name): {c.value}}, now); got != c.want {
			t.Errorf("%s: %s: found %v, want %v", c.name, c.value, got, c.want)
		}
	}
}

// TestGivesUp: a server that always fails is left alone after some tries.
func TestGivesUp(t *testing.T) {
	s := newStandIn(t)
	d := s.desk(t)
	s.intercept("GET", "model.safetensors", func(w http.ResponseWriter, r *http.Request, n int) bool {
		w.WriteHeader(http.StatusBadGateway)
		return true
	})
	d.fails(t, testRepo, ErrUnreachable, "model.safetensors", "502")
	if n := len(s.requests("GET", "model.safetensors")); n != maxTries {
		t.Errorf("found %d requests, want %d", n, maxTries)
	}
}

// TestSlow: a server that does not answer, and one that stops in the middle, are as bad as none.
func TestSlow(t *testing.T) {
	t.Run("no answer", func(t *testing.T) {
		s := newStandIn(t)
		d := s.desk(t)
		t.Setenv("HF_HUB_ETAG_TIMEOUT", "0.05")
		s.intercept("GET", "/revision/main", func(_ http.ResponseWriter, r *http.Request, _ int) bool {
			<-r.Context().Done()
			return true
		})
		err := d.fails(t, testRepo, ErrUnreachable, "no answer within 50ms (HF_HUB_ETAG_TIMEOUT)")
		if errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v is taken for the caller's deadline", err)
		}
	})
	t.Run("stops in the middle", func(t *testing.T) {
		s := newStandIn(t)
		d := s.desk(t)
		t.Setenv("HF_HUB_DOWNLOAD_TIMEOUT", "0.2")
		content := s.commits[oldCommit]["model.safetensors"]
		s.intercept("GET", "/store/"+oldCommit+"/model.safetensors", func(w http.ResponseWriter, r *http.Request, n int) bool {
			if n == 1 {
				w.Header().Set("Content-Length", strconv.Itoa(len(content)))
				fmt.Fprint(w, content[:1000])
				w.(http.Flusher).Flush()
				<-r.Context().Done()
			}
			return n == 1
		})
		d.pull(t, testRepo)
		if got := s.requests("GET", "/store/", "bytes=1000-"); len(got) != 1 {
			t.Errorf("found %v, want a second request for the rest", s.requests("GET", "/store/"))
		}
	})
}

// TestCorrupt: another hash or size is an error that says so, and leaves nothing.
func TestCorrupt(t *testing.T) {
	for _, c := range []struct {
		name, file string
		serve      func(w http.ResponseWriter, content string)
		words      []string
	}{
		{"SHA-256", "model.safetensors", func(w http.ResponseWriter, content string) { fmt.Fprint(w, strings.Replace(content, "w", "W", 1)) },
			[]string{"SHA-256 is ", ", want " + contentSHA256(tinyModel("old")["model.safetensors"])}},
		{"SHA-1", "vocab.txt", func(w http.ResponseWriter, content string) { fmt.Fprint(w, strings.Replace(content, "U", "u", 1)) },
			[]string{"Git's SHA-1 is ", ", want " + gitHash(tinyModel("old")["vocab.txt"])}},
		{"too short", "model.safetensors", func(w http.ResponseWriter, content string) {
			w.Header().Set("Content-Length", "10")
			fmt.Fprint(w, content[:10])
		}, []string{"found 10 bytes, want 1200000"}},
		{"too long", "model.safetensors", func(w http.ResponseWriter, content string) {
			w.Header().Set("Content-Length", strconv.Itoa(len(content)+1))
			fmt.Fprint(w, content+"!")
		}, []string{"found 1200001 bytes, want 1200000"}},
		{"too long, unannounced", "model.safetensors", func(w http.ResponseWriter, content string) {
			fmt.Fprint(w, content)
			w.(http.Flusher).Flush()
			fmt.Fprint(w, "!")
		}, []string{"found more than 1200000 bytes"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStandIn(t)
			d := s.desk(t)
			s.intercept("GET", c.file, func(w http.ResponseWriter, r *http.Request, _ int) bool {
				if strings.Contains(r.URL.Path, "/resolve/") {
					return false
				}
				c.serve(w, s.commits[oldCommit][c.file])
				return true
			})
			d.fails(t, testRepo, ErrCorrupt, append(c.words, c.file)...)
			for name := range tree(t, d.Cache) {
				if strings.HasSuffix(name, ".incomplete") || strings.HasSuffix(name, c.file) || strings.HasSuffix(name, "refs/main") {
					t.Errorf("%s is left", name)
				}
			}
		})
	}
}

// TestHostile: servers that want to write elsewhere, or to keep one busy for ever.
func TestHostile(t *testing.T) {
	body := func(text string) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, _ *http.Request, _ int) bool { fmt.Fprint(w, text); return true }
	}
	named := func(name string) func(http.ResponseWriter, *http.Request, int) bool {
		return body(fmt.Sprintf(`{"sha": %q, "siblings": [{"rfilename": "config.json"}, {"rfilename": %q}]}`, oldCommit, name))
	}
	headers := func(pairs ...string) func(http.ResponseWriter, *http.Request, int) bool {
		return func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			for i := 0; i < len(pairs); i += 2 {
				w.Header().Set(pairs[i], pairs[i+1])
			}
			if w.Header().Get("Location") != "" {
				w.WriteHeader(http.StatusFound)
			}
			return true
		}
	}
	listing := "/revision/main"
	hash := gitHash("")
	for _, c := range []struct {
		name, method, end string
		answer            func(http.ResponseWriter, *http.Request, int) bool
		kind              error
		words             []string
	}{
		{"up", "GET", listing, named("../../evil"), ErrRefused, []string{"../../evil"}},
		{"up inside", "GET", listing, named("a/../b"), ErrRefused, nil},
		{"absolute", "GET", listing, named("/etc/passwd"), ErrRefused, []string{"/etc/passwd"}},
		{"backslash", "GET", listing, named(`..\evil`), ErrRefused, nil},
		{"drive", "GET", listing, named("C:evil"), ErrRefused, nil},
		{"control", "GET", listing, body(`{"sha": "` + oldCommit + `", "siblings": [{"rfilename": "a\u001b[2J"}]}`), ErrRefused, []string{`\x1b`}},
		{"commit", "GET", listing, body(`{"sha": "../../x", "siblings": [{"rfilename": "config.json"}]}`), ErrRefused, []string{"../../x"}},
		{"no JSON", "GET", listing, body("<html>"), ErrRefused, []string{"does not answer as the hub does"}},
		{"endless JSON", "GET", listing, func(w http.ResponseWriter, _ *http.Request, _ int) bool {
			for chunk := strings.Repeat(" ", 1<<20); ; {
				if _, err := fmt.Fprint(w, chunk); err != nil {
					return true
				}
			}
		}, ErrRefused, []string{"more than 33554432 bytes"}},
		{"no model", "GET", listing, body(`{"sha": "` + oldCommit + `", "siblings": []}`), ErrNotFound, []string{"config.json"}},
		{"redirects for ever", "GET", listing, func(w http.ResponseWriter, r *http.Request, n int) bool {
			http.Redirect(w, r, r.URL.Path, http.StatusFound)
			return true
		}, ErrRefused, []string{"more than 10 times"}},
		{"redirect to a file", "GET", listing, headers("Location", "file:///etc/passwd"), ErrRefused, []string{"file:///etc/passwd"}},
		{"redirect to nowhere", "GET", listing, func(w http.ResponseWriter, r *http.Request, n int) bool {
			w.WriteHeader(http.StatusFound)
			return true
		}, ErrRefused, nil},
		{"etag that is a path", "HEAD", "config.json", headers("ETag", `"../../../evil"`, "Content-Length", "0"), ErrRefused, []string{"../../../evil"}},
		{"no etag", "HEAD", "config.json", headers("Content-Length", "0"), ErrRefused, nil},
		{"no size", "HEAD", "config.json", headers("X-Linked-Etag", hash, "Location", "http://127.0.0.1:1/x"), ErrRefused, []string{"size"}},
		{"negative size", "HEAD", "config.json", headers("X-Linked-Etag", hash, "X-Linked-Size", "-1"), ErrRefused, []string{"-1"}},
		{"huge configuration", "HEAD", "config.json", headers("X-Linked-Etag", hash, "X-Linked-Size", "68719476736"), ErrRefused, []string{"68719476736"}},
		{"another commit", "HEAD", "config.json", headers("X-Repo-Commit", newCommit, "X-Linked-Etag", hash, "X-Linked-Size", "0"), ErrCorrupt, []string{newCommit}},
		{"compressed", "GET", "config.json", headers("Content-Encoding", "gzip"), ErrRefused, []string{"gzip"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStandIn(t)
			d := s.desk(t)
			s.intercept(c.method, c.end, c.answer)
			d.fails(t, testRepo, c.kind, c.words...)
			if entries, _ := os.ReadDir(filepath.Dir(d.Cache)); len(entries) > 1 {
				t.Errorf("found %v beside the cache", entries)
			}
		})
	}
}

// TestHostileIndex: the shards' names are the index's, which is a stranger's too.
func TestHostileIndex(t *testing.T) {
	for name, words := range map[string]string{
		`{"weight_map": {"a": "../../../evil"}}`:       "../../../evil",
		`{"weight_map": {"a": "/etc/passwd"}}`:         "/etc/passwd",
		`{"weight_map": {"a": "config.json"}}`:         "config.json",
		`{"weight_map": {"a": "model-9.safetensors"}}`: "model-9.safetensors, which model.safetensors.index.json names",
		`{"weight_map": {}}`:                           "names 0 files",
		`[]`:                                           "model.safetensors.index.json",
	} {
		s := newStandIn(t)
		s.commits[oldCommit] = map[string]string{"config.json": "{}", "model.safetensors.index.json": name}
		s.desk(t).fails(t, testRepo, nil, words)
	}
}

// TestNoNetwork: what the cache has will do, with a note; what it lacks is said.
func TestNoNetwork(t *testing.T) {
	s := newStandIn(t)
	d := s.desk(t)
	s.Close()
	d.fails(t, testRepo, ErrUnreachable, "the cache has no ", "connection refused")
	s = newStandIn(t)
	d.Endpoint = s.URL
	d.pull(t, testRepo)
	s.Close()
	got := d.pull(t, testRepo)
	if got.Commit != oldCommit || len(d.notes) != 1 || !strings.Contains(d.notes[0], "taking commit 0123456789ab from the cache") || !strings.Contains(d.notes[0], "refused") {
		t.Errorf("found %+v, notes %q", got, d.notes)
	}
	d.fails(t, testRepo+"@v2", ErrUnreachable, "nothing of revision v2, but something of commits ["+oldCommit)
}

// TestNewerCannotBeHad: the hub says that there is a newer commit and then fails.
func TestNewerCannotBeHad(t *testing.T) {
	s := newStandIn(t)
	d := s.desk(t)
	d.pull(t, testRepo)
	s.commits[newCommit], s.branches["main"] = tinyModel("new"), newCommit
	s.intercept("GET", "model.safetensors", func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		w.WriteHeader(http.StatusServiceUnavailable)
		return true
	})
	if got := d.pull(t, testRepo); got.Commit != oldCommit || len(d.notes) != 1 {
		t.Errorf("found %+v, notes %q", got, d.notes)
	}
	d.Offline = true
	if got := d.pull(t, testRepo); got.Commit != oldCommit {
		t.Errorf("offline: found %+v: what is not whole is not main", got)
	}
}

// TestOffline: no request, and a plain word about what is missing.
func TestOffline(t *testing.T) {
	s := newStandIn(t)
	for _, name := range []string{"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"} {
		d := s.desk(t)
		t.Setenv(name, "yes")
		d.fails(t, testRepo, ErrNotCached, name+" is on", "the cache has no "+d.Cache)
	}
	if len(s.requests()) > 0 {
		t.Errorf("offline made requests: %v", s.requests())
	}
	d := s.desk(t)
	d.pull(t, testRepo)
	s.forget()
	d.Offline = true
	if got := d.pull(t, testRepo); got.Commit != oldCommit || got.Bytes != 0 || len(s.requests()) > 0 || len(d.notes) > 0 {
		t.Errorf("found %+v, requests %v, notes %q", got, s.requests(), d.notes)
	}
	if err := os.Remove(filepath.Join(d.Cache, "models--some-org--tiny.model", "snapshots", oldCommit, "model.safetensors")); err != nil {
		t.Fatal(err)
	}
	d.fails(t, testRepo, ErrNotCached, "lacks [weights")
}

// TestAccessWithCopy: who has lost access is told about the copy.
func TestAccessWithCopy(t *testing.T) {
	s := newStandIn(t)
	d := s.desk(t)
	d.pull(t, testRepo)
	s.intercept("GET", "/revision/main", func(w http.ResponseWriter, _ *http.Request, _ int) bool {
		deny(w, http.StatusForbidden, "GatedRepo", "")
		return true
	})
	d.fails(t, testRepo, ErrAccess, "HF_HUB_OFFLINE=1")
}

// fullDisk has room for some bytes.
type fullDisk struct{ room int64 }

func (d *fullDisk) WriteAt(p []byte, at int64) (int, error) {
	if at+int64(len(p)) > d.room {
		return 0, syscall.ENOSPC
	}
	return len(p), nil
}

// TestFullDisk: that is no trouble of the network, so nothing is asked for again.
func TestFullDisk(t *testing.T) {
	s := newStandIn(t)
	d := s.desk(t)
	settings, err := settle(d.Options)
	if err != nil {
		t.Fatal(err)
	}
	p := &pull{name: modelName{testRepo, "main"}, settings: settings, client: newClient(settings), meter: newMeter(nil)}
	f, err := p.client.head(context.Background(), testRepo, oldCommit, "model.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	err = p.stream(context.Background(), f, &fullDisk{500_000}, 0)
	wantError(t, err, syscall.ENOSPC)
	if n := len(s.requests("GET", "/store/")); n != 1 || errors.Is(err, ErrUnreachable) {
		t.Errorf("%d requests, %v", n, err)
	}
}
