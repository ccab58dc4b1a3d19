package hub

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// stored is where the stand-in's weights come from.
const stored = "/store/" + oldCommit + "/model.safetensors"

// TestCutOff: what came before the connection ended is not asked for again, where the server can do that.
func TestCutOff(t *testing.T) {
	for name, ranges := range map[string]bool{"ranges": true, "no ranges": false} {
		t.Run(name, func(t *testing.T) {
			s := newStandIn(t)
			d := s.desk(t)
			content := s.commits[oldCommit]["model.safetensors"]
			s.intercept("GET", stored, func(w http.ResponseWriter, r *http.Request, n int) bool {
				if n == 1 {
					w.Header().Set("Content-Length", strconv.Itoa(len(content)))
					fmt.Fprint(w, content[:600_000])
					w.(http.Flusher).Flush()
					panic(http.ErrAbortHandler)
				}
				if !ranges {
					fmt.Fprint(w, content) // 200, from the beginning
				}
				return !ranges
			})
			snapshot := d.pull(t, testRepo)
			if got, err := os.ReadFile(filepath.Join(snapshot.Dir, "model.safetensors")); err != nil || string(got) != content {
				t.Errorf("found %d bytes, %v", len(got), err)
			}
			if got := s.requests("GET", stored); len(got) != 2 || !strings.Contains(got[1], " bytes=") || strings.HasSuffix(got[1], "=0-") {
				t.Errorf("requests %v, want a second for the rest", got)
			}
		})
	}
}

// TestCutOffForEver: without ranges a server that always cuts at the same place is given up, though bytes come each time.
func TestCutOffForEver(t *testing.T) {
	s := newStandIn(t)
	d := s.desk(t)
	content := s.commits[oldCommit]["model.safetensors"]
	s.intercept("GET", stored, func(w http.ResponseWriter, r *http.Request, n int) bool {
		w.Header().Set("Content-Length", strconv.Itoa(len(content)))
		fmt.Fprint(w, content[:1000])
		return true
	})
	d.fails(t, testRepo, ErrUnreachable, "cut off after 1000 of 1200000 bytes")
	if n := len(s.requests("GET", stored)); n > maxTries+1 {
		t.Errorf("%d requests", n)
	}
}

// TestWrongRange: a server that sends another part than was asked for is asked for all.
func TestWrongRange(t *testing.T) {
	for name, refuse := range map[string]bool{"another part": false, "416": true} {
		t.Run(name, func(t *testing.T) {
			s := newStandIn(t)
			d := s.desk(t)
			content := s.commits[oldCommit]["model.safetensors"]
			write(t, filepath.Join(d.Cache, "models--some-org--tiny.model", "blobs", contentSHA256(content)+".incomplete"), content[:1000])
			s.intercept("GET", stored, func(w http.ResponseWriter, r *http.Request, n int) bool {
				if refuse && n == 1 {
					w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
					return true
				}
				w.Header().Set("Content-Range", fmt.Sprintf("bytes 0-%d/%d", len(content)-1, len(content)))
				w.WriteHeader(http.StatusPartialContent)
				fmt.Fprint(w, content)
				return true
			})
			d.pull(t, testRepo)
			if got := s.requests("GET", stored); len(got) != 2 || !strings.HasSuffix(got[0], "bytes=1000-") || !strings.HasSuffix(got[1], ".safetensors") {
				t.Errorf("requests %v", got)
			}
		})
	}
}

// TestCancelled: a download that its caller ends goes on with the next call.
func TestCancelled(t *testing.T) {
	s := newStandIn(t)
	d := s.desk(t)
	content := s.commits[oldCommit]["model.safetensors"]
	ctx, cancel := context.WithCancel(context.Background())
	s.intercept("GET", stored, func(w http.ResponseWriter, r *http.Request, n int) bool {
		if n == 1 {
			w.Header().Set("Content-Length", strconv.Itoa(len(content)))
			fmt.Fprint(w, content[:700_000])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}
		return n == 1
	})
	d.Progress = func(p Progress) {
		if p.File == "model.safetensors" && p.Done >= 700_000 {
			cancel()
		}
	}
	_, err := Pull(ctx, testRepo, d.Options)
	wantError(t, err, context.Canceled)
	if errors.Is(err, ErrUnreachable) {
		t.Errorf("%v: the hub is not to blame", err)
	}
	partial := filepath.Join(d.Cache, "models--some-org--tiny.model", "blobs", contentSHA256(content)+".incomplete")
	if info, err := os.Stat(partial); err != nil || info.Size() != 700_000 {
		t.Fatalf("found %v, %v; want 700,000 bytes to go on with", info, err)
	}
	d.Progress = nil
	d.fails(t, testRepo+"@"+newCommit, ErrNotFound)
	d.Offline = true
	d.fails(t, testRepo, ErrNotCached)
	d.Offline = false
	if got := d.pull(t, testRepo); got.Bytes != int64(len(content)-700_000) {
		t.Errorf("downloaded %d bytes, want the 500,000 that are missing", got.Bytes)
	}
	if got := s.requests("GET", stored, "bytes=700000-"); len(got) != 1 {
		t.Errorf("requests %v", s.requests("GET", stored))
	}
	if _, err := os.Stat(partial); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the partial file: %v", err)
	}
}

// TestRottenPartial: what an earlier program left may be wrong, or too long; then all is downloaded anew, once.
func TestRottenPartial(t *testing.T) {
	for name, rotten := range map[string]func(content string) string{
		"wrong":          func(content string) string { return strings.Repeat("x", 1000) },
		"wrong and full": func(content string) string { return strings.Repeat("x", len(content)) },
		"too long":       func(content string) string { return content + "x" },
	} {
		t.Run(name, func(t *testing.T) {
			s := newStandIn(t)
			d := s.desk(t)
			content := s.commits[oldCommit]["model.safetensors"]
			write(t, filepath.Join(d.Cache, "models--some-org--tiny.model", "blobs", contentSHA256(content)+".incomplete"), rotten(content))
			snapshot := d.pull(t, testRepo)
			if got, err := os.ReadFile(filepath.Join(snapshot.Dir, "model.safetensors")); err != nil || string(got) != content {
				t.Errorf("found %d bytes, %v", len(got), err)
			}
		})
	}
}

// TestTogether: several calls at once, each with locks of its own, download each file once.
func TestTogether(t *testing.T) {
	s := newStandIn(t)
	d := s.desk(t)
	d.Note = nil
	s.intercept("GET", stored, func(http.ResponseWriter, *http.Request, int) bool {
		time.Sleep(100 * time.Millisecond) // so that all have asked for the lock
		return false
	})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if _, err := Pull(context.Background(), testRepo, d.Options); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	once(t, s)
}

func once(t *testing.T, s *standIn) {
	t.Helper()
	if got := s.requests("GET", "/store/"); len(got) != 1 {
		t.Errorf("weights were asked for %d times", len(got))
	}
	if got := s.requests("GET", "/api/resolve-cache/"); len(got) != 3 {
		t.Errorf("small files were asked for %d times, want 3: %v", len(got), got)
	}
}

// TestTwoPrograms does the same with another process, this test's own program.
func TestTwoPrograms(t *testing.T) {
	if cache := os.Getenv("HUB_TEST_CACHE"); cache != "" {
		if _, err := Pull(context.Background(), testRepo, Options{Cache: cache, Endpoint: os.Getenv("HUB_TEST_ENDPOINT")}); err != nil {
			t.Fatal(err)
		}
		return
	}
	s := newStandIn(t)
	d := s.desk(t)
	s.intercept("GET", stored, func(http.ResponseWriter, *http.Request, int) bool {
		time.Sleep(2 * time.Second)
		return false
	})
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			program := exec.Command(os.Args[0], "-test.run=^TestTwoPrograms$", "-test.v")
			program.Env = append(os.Environ(), "HUB_TEST_CACHE="+d.Cache, "HUB_TEST_ENDPOINT="+s.URL)
			if out, err := program.CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	all.Wait()
	once(t, s)
}

// TestWaiting: who waits for another program can be ended, and says what it waits for.
func TestWaiting(t *testing.T) {
	s := newStandIn(t)
	d := s.desk(t)
	release := make(chan struct{})
	s.intercept("GET", stored, func(_ http.ResponseWriter, r *http.Request, _ int) bool {
		<-release
		return false
	})
	first := make(chan error)
	go func() {
		o := d.Options
		o.Note = nil
		_, err := Pull(context.Background(), testRepo, o)
		first <- err
	}()
	for len(s.requests("GET", stored)) == 0 {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2500*time.Millisecond)
	defer cancel()
	_, err := Pull(ctx, testRepo, d.Options)
	wantError(t, err, context.DeadlineExceeded)
	if len(d.notes) != 1 || !strings.Contains(d.notes[0], "another program downloads it") {
		t.Errorf("notes %q", d.notes)
	}
	close(release)
	if err := <-first; err != nil {
		t.Error(err)
	}
}

// readOnly takes the right to write away from a cache.
func readOnly(t *testing.T, root string) {
	t.Helper()
	if runtime.GOOS == "windows" || os.Getuid() == 0 {
		t.Skip("this system lets the test write everywhere: run it as another user")
	}
	filepath.Walk(root, func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Mode()&os.ModeSymlink == 0 {
			os.Chmod(path, info.Mode().Perm()&^0o222)
			t.Cleanup(func() { os.Chmod(path, info.Mode().Perm()) })
		}
		return nil
	})
}

// TestReadOnly: a cache that others have filled can be used; what it lacks cannot be added.
func TestReadOnly(t *testing.T) {
	s := newStandIn(t)
	d := s.desk(t)
	d.pull(t, testRepo)
	readOnly(t, d.Cache)
	if got := d.pull(t, testRepo); got.Commit != oldCommit || len(d.notes) > 0 {
		t.Errorf("found %+v, notes %q", got, d.notes)
	}
	s.commits[newCommit], s.branches["main"] = tinyModel("new"), newCommit
	if got := d.pull(t, testRepo); got.Commit != oldCommit || len(d.notes) != 1 || !strings.Contains(d.notes[0], "cannot be written (HF_HUB_CACHE") {
		t.Errorf("found %+v, notes %q", got, d.notes)
	}
	d.fails(t, testRepo+"@"+newCommit, os.ErrPermission, "cannot be written")
}
