package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-lxmert/lxmert/data"
)

// asCommand is set where the test program is the command.
const asCommand = "LXMERT_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

// built is the command as a program of its own, for the rest of the test: the test program, which has it in it.
func built(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("starts and kills the command")
	}
	t.Setenv(asCommand, "1")
	return os.Args[0]
}

// noisy writes pictures that take a while, one of them broken.
func noisy(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(8, 9))
	for i := range n {
		img := image.NewRGBA(image.Rect(0, 0, 160, 120))
		for x := range 160 * 120 {
			img.SetRGBA(x%160, x/160, color.RGBA{uint8(r.Uint32()), uint8(x), uint8(i), 255})
		}
		var content bytes.Buffer
		if err := png.Encode(&content, img); err != nil {
			t.Fatal(err)
		}
		if i == n/2 {
			content.Truncate(1000)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%04d.png", i)), content.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// files are those of a store or of a TSV, by name, with what is in them.
func files(t *testing.T, out string) map[string]string {
	t.Helper()
	names, err := filepath.Glob(out + "*")
	if err != nil {
		t.Fatal(err)
	}
	inside, err := filepath.Glob(filepath.Join(out, "*"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, name := range append(names, inside...) {
		if info, err := os.Stat(name); err != nil || info.IsDir() {
			continue
		}
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimPrefix(name, filepath.Dir(out))] = string(content)
	}
	return all
}

// TestExtractKilled: an extraction that is killed again and again, or interrupted, leaves in the end what one leaves that never was, byte for byte.
func TestExtractKilled(t *testing.T) {
	program := built(t)
	pictures := noisy(t, 150)
	for _, name := range []string{"out", "out.tsv"} {
		t.Run(name, func(t *testing.T) {
			// 1,024 cells are 127 KB of float16, so that there are some twenty shards.
			command := func(out string) *exec.Cmd {
				return exec.Command(program, "extract", pictures, "--out", out, "--extractor", "grid-32x32x4", "--shard-mb", "1", "--json")
			}
			whole, parts := filepath.Join(t.TempDir(), name), filepath.Join(t.TempDir(), name)
			start := time.Now()
			text, err := command(whole).Output()
			var record extractRecord
			if err != nil || json.Unmarshal(text, &record) != nil || record.Added != 149 || record.Failed != 1 {
				t.Fatalf("%s, %v", text, err)
			}
			took := time.Since(start)
			r := rand.New(rand.NewPCG(20, 19))
			kills := 0
			for round := 0; ; round++ {
				if round > 200 {
					t.Fatal("it does not come to an end")
				}
				cmd := command(parts)
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				done := make(chan error, 1)
				go func() { done <- cmd.Wait() }()
				ended := false
				select {
				case err := <-done:
					if err != nil {
						t.Fatalf("round %d: %v", round, err)
					}
					ended = true
				case <-time.After(took/20 + time.Duration(r.Int64N(int64(took/4)))):
					if round%4 == 3 {
						cmd.Process.Signal(syscall.SIGTERM)
					} else {
						cmd.Process.Kill()
					}
					<-done
				}
				if ended {
					break
				}
				kills++
			}
			if kills < 2 {
				t.Errorf("it was killed %d times", kills)
			}
			want, got := files(t, whole), files(t, parts)
			t.Logf("killed or interrupted %d times; %d files, a whole run takes %v", kills, len(got), took)
			if len(want) < 3 || len(got) != len(want) {
				t.Errorf("files %q, want %q", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
			}
			for file, content := range want {
				if strings.HasSuffix(file, ".faults.jsonl") {
					if !strings.Contains(got[file], `"id":"0075"`) || strings.Count(got[file], "\n") != 1 {
						t.Errorf("%s: %q", file, got[file])
					}
				} else if got[file] != content {
					t.Errorf("%s: %d bytes, not equal to the %d of the run that was not killed", file, len(got[file]), len(content))
				}
			}
			source, err := data.Open(parts, false)
			if err != nil {
				t.Fatal(err)
			}
			defer source.Close()
			if got, err := source.Get("0149"); err != nil || source.Len() != 149 || got.Preset != "grid-32x32x4" {
				t.Errorf("%d images, preset %q, %v", source.Len(), got.Preset, err)
			}
		})
	}
}

// TestExtractDiskFull: a disk that becomes full ends an extraction, which goes on when there is room.
func TestExtractDiskFull(t *testing.T) {
	pictures := noisy(t, 40)
	for _, name := range []string{"out", "out.tsv"} {
		dir := t.TempDir()
		if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", dir).CombinedOutput(); err != nil {
			t.Skipf("needs a small disk, and may not mount one: %s", out)
		}
		t.Cleanup(func() { exec.Command("umount", dir).Run() })
		args := func(out string) []string {
			return []string{"extract", pictures, "--out", out, "--extractor", "grid-32x32x4", "--shard-mb", "1"}
		}
		code, _, errOut := command(t, "", args(filepath.Join(dir, name))...)
		if code != exitFailure || !strings.Contains(errOut, "no space left on device") || !strings.Contains(errOut, "were added before") {
			t.Fatalf("%s: exit code %d: %s", name, code, errOut)
		}
		before := files(t, filepath.Join(dir, name))
		if out, err := exec.Command("mount", "-o", "remount,size=64m", dir).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		code, text, errOut := command(t, "", args(filepath.Join(dir, name))...)
		if code != exitOK || !strings.Contains(text, ": 39 pictures") || strings.Contains(text, " 0 there before") {
			t.Errorf("%s: exit code %d: %s%s; before there were %d files", name, code, text, errOut, len(before))
		}
		whole := filepath.Join(t.TempDir(), name)
		if code, _, errOut := command(t, "", args(whole)...); code != exitOK {
			t.Fatal(errOut)
		}
		want, got := files(t, whole), files(t, filepath.Join(dir, name))
		for file, content := range want {
			if got[file] != content {
				t.Errorf("%s is not what it is on a disk with room", file)
			}
		}
	}
}
