package train_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/tokenizer"
	"github.com/go-lxmert/lxmert/train"
)

// The environment of the program that TestKilled kills.
const (
	killedRun   = "LXMERT_TEST_KILLED_RUN"   // its directory
	killedSaves = "LXMERT_TEST_KILLED_SAVES" // steps between checkpoints
)

// TestKilledRun is no test, but the run that TestKilled kills.
func TestKilledRun(t *testing.T) {
	dir := os.Getenv(killedRun)
	if dir == "" {
		t.Skip("the other half of TestKilled")
	}
	o := small(dir)
	o.Keep = 3
	var err error
	if o.SaveSteps, err = strconv.Atoi(os.Getenv(killedSaves)); err != nil {
		t.Fatal(err)
	}
	o.Watch = watch{step: func(train.StepRecord, int) {
		fmt.Println("a step")
		time.Sleep(5 * time.Millisecond) // or it would be over too soon
	}}
	newWorld(t).run(t, o)
}

// TestKilled kills a run at twenty moments. What it comes to in the end is the same as if it had been left alone, to the bit; no checkpoint is ever half there; and
// no more is lost than the steps since the last.
func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills twenty programs")
	}
	w := newWorld(t)
	o := small(t.TempDir())
	w.run(t, o)
	want := outcome(t, o.Out)

	o.Out = t.TempDir()
	r := rand.New(rand.NewPCG(20, 19))
	before, beforeLogged, hits, ends, absent := 0, 0, 0, 0, 0
	for kills := 0; kills < 20; {
		saves := 1 + r.IntN(5)
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledRun$")
		cmd.Env = append(os.Environ(), killedRun+"="+o.Out, killedSaves+"="+strconv.Itoa(saves))
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		said := bufio.NewReader(stdout)
		if kills%5 != 0 { // else it is killed while it takes up the run
			for range 1 + r.IntN(11) {
				said.ReadString('\n')
			}
		}
		ended := make(chan error, 1)
		go func() {
			io.Copy(io.Discard, said)
			ended <- cmd.Wait()
		}()
		select {
		case err := <-ended:
			if err != nil {
				t.Fatalf("a run that was not killed: %v", err)
			}
			same(t, outcome(t, o.Out), want)
			ends++
			o.Out, before, beforeLogged = t.TempDir(), 0, 0 // another, until there were twenty
			continue
		case <-time.After(time.Duration(r.IntN(40)) * time.Millisecond):
		}
		if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Fatal(err)
		}
		if <-ended == nil {
			continue
		}
		kills++
		if _, err := os.Stat(filepath.Join(o.Out, train.LastName)); errors.Is(err, fs.ErrNotExist) {
			absent++
		} else {
			w.whole(t, filepath.Join(o.Out, train.LastName))
		}
		kept, err := filepath.Glob(filepath.Join(o.Out, "step-?????????"))
		if err != nil {
			t.Fatal(err)
		}
		for _, dir := range kept {
			w.whole(t, dir)
		}
		logged := lastLogged(t, o.Out)
		if _, err := train.Recover(o.Out); err != nil {
			t.Fatal(err)
		}
		saved := 0
		if _, err := os.Stat(filepath.Join(o.Out, train.LastName)); err == nil {
			saved = w.whole(t, filepath.Join(o.Out, train.LastName))
		}
		cut := logged != beforeLogged // else the log may be that of the program before, whose checkpoints were further apart
		if saved < before || cut && saved < logged-saves {
			t.Fatalf("killed after step %d: the checkpoint is of step %d, the one before was of %d; they are %d steps apart", logged, saved, before, saves)
		}
		if saved > before {
			hits++
		}
		before, beforeLogged = saved, logged
	}
	o.SaveSteps = 2
	w.run(t, o)
	same(t, outcome(t, o.Out), want)
	t.Logf("20 kills, %d after the run had got further, %d without RUN/last; %d runs ended before", hits, absent, ends)
	if hits < 5 {
		t.Errorf("only %d of 20 runs got further before they were killed", hits)
	}
}

// whole checks that a model directory can be opened and gone on from, and gives its step.
func (w *world) whole(t *testing.T, dir string) (step int) {
	t.Helper()
	m, _, err := pretrained.Load(w.engine, dir, model.HeadQuestionAnswering, pretrained.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m.Close()
	if _, err := tokenizer.Load(dir); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(dir, train.StateName))
	if err != nil {
		t.Fatal(err)
	}
	var state struct {
		Step int `json:"step"`
	}
	if err := json.Unmarshal(content, &state); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, train.MomentsName)); err != nil {
		t.Fatal(err)
	}
	return state.Step
}

// lastLogged is the last step in a run's log, 0 if there is none.
func lastLogged(t *testing.T, dir string) int {
	t.Helper()
	last := 0
	for record, err := range train.ReadLog(filepath.Join(dir, train.LogName)) {
		if errors.Is(err, fs.ErrNotExist) {
			return 0
		}
		if err != nil {
			t.Fatal(err)
		}
		if record.Step != nil {
			last = record.Step.Step
		}
	}
	return last
}
