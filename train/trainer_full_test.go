//go:build linux || darwin

package train_test

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/go-lxmert/lxmert/train"
)

// fullRun is the directory of the run that TestFullDisk starts, fullAfter the step after which the disk is full, fullName the file that sets the limit.
const (
	fullRun   = "LXMERT_TEST_FULL_RUN"
	fullAfter = "LXMERT_TEST_FULL_AFTER"
	fullName  = "LXMERT_TEST_FULL_NAME"
)

// TestFullDiskRun is no test, but a run under which the disk becomes full: no file may grow beyond a size, which looks the same from inside.
func TestFullDiskRun(t *testing.T) {
	dir := os.Getenv(fullRun)
	if dir == "" {
		t.Skip("the other half of TestFullDisk")
	}
	after, err := strconv.Atoi(os.Getenv(fullAfter))
	if err != nil {
		t.Fatal(err)
	}
	o := small(dir)
	o.SaveSteps = 2
	s := newWorld(t).open(t, o)
	full := func(step int) {
		if step == after {
			limitFiles(t, uint64(sizeOf(t, filepath.Join(dir, os.Getenv(fullName)))))
		}
	}
	s.task.Progress = func(int, int) { _, _, done := s.Steps(); full(-done) }
	s.Watch(watch{step: func(r train.StepRecord, _ int) { full(r.Step) }})
	fmt.Printf("the run ended: %v.\n", s.Run(t.Context()))
}

// limitFiles lets no file grow beyond almost so many bytes.
func limitFiles(t *testing.T, bytes uint64) {
	t.Helper()
	signal.Ignore(syscall.SIGXFSZ)
	var limit syscall.Rlimit
	err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit)
	if err == nil {
		limit.Cur = bytes - 10
		err = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit)
	}
	if err != nil {
		fmt.Printf("no limit: %v\n", err)
	}
}

func sizeOf(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// TestFullDisk: where a checkpoint or the log cannot be written the run ends, says so and names the checkpoint that is whole, and goes on from it when
// there is room again.
func TestFullDisk(t *testing.T) {
	w := newWorld(t)
	o := small(t.TempDir())
	w.run(t, o)
	want := outcome(t, o.Out)
	for name, c := range map[string]struct {
		after int    // the step; below 0: in the validation after it
		size  string // no file may be as large as this one
		saved int    // the step of the checkpoint that is whole
		want  string
	}{
		"weights":       {5, "last/model.safetensors", 4, "the checkpoint of step 6 was not saved: "},
		"moments":       {5, "last/training.safetensors", 4, "the checkpoint of step 6 was not saved: "},
		"best":          {11, "last/model.safetensors", 10, "the checkpoint of step 11 was not saved: "},
		"the first":     {1, "log.jsonl", 0, "step 2: the run's log cannot be written: "},
		"log":           {7, "log.jsonl", 6, "step 8: the run's log cannot be written: "},
		"log of epochs": {44, "log.jsonl", 42, "the run's log cannot be written: "},
		"predictions":   {-22, "valid_predict.json", 20, "valid_predict.json: "},
	} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name != "moments" && name != "log" {
				t.Skip("one of each kind will do")
			}
			o := o
			o.Out = t.TempDir()
			cmd := exec.Command(os.Args[0], "-test.run=^TestFullDiskRun$")
			cmd.Env = append(os.Environ(), fullRun+"="+o.Out, fullAfter+"="+strconv.Itoa(c.after), fullName+"="+c.size)
			out, err := cmd.CombinedOutput()
			text := string(out)
			if strings.Contains(text, "no limit: ") {
				t.Skip("this system does not limit the size of files: " + text)
			}
			whole := fmt.Sprintf("; the last checkpoint is that of step %d", c.saved)
			if c.saved == 0 {
				whole = "; there is no checkpoint yet"
			}
			if err != nil || !strings.Contains(text, c.want) || !strings.Contains(text, "file too large") || !strings.Contains(text, whole+".") && !strings.Contains(text, whole+"\n") {
				t.Fatalf("%v, found:\n%s\nwant %q … %q", err, text, c.want, whole)
			}
			if left, _ := filepath.Glob(filepath.Join(o.Out, "*.partial")); left != nil {
				t.Errorf("%s takes room", left)
			}
			s := w.open(t, o)
			if _, _, done := s.Steps(); done != c.saved {
				t.Fatalf("the checkpoint is of step %d, want %d", done, c.saved)
			}
			if err := s.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			same(t, outcome(t, o.Out), want)
		})
	}
}
