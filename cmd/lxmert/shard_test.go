package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/scenes"
	"github.com/go-lxmert/lxmert/vision"
)

func TestPartFromEnvironment(t *testing.T) {
	for want, env := range map[string]map[string]string{
		"3/8 by SLURM_ARRAY_TASK_ID=3, SLURM_ARRAY_TASK_COUNT=8": {"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "8"},
		"2/4 by SLURM_ARRAY_TASK_ID=5, SLURM_ARRAY_TASK_COUNT=4, SLURM_ARRAY_TASK_MIN=1, SLURM_ARRAY_TASK_STEP=2, SLURM_ARRAY_TASK_MAX=7": {
			"SLURM_ARRAY_TASK_ID": "5", "SLURM_ARRAY_TASK_COUNT": "4", "SLURM_ARRAY_TASK_MIN": "1", "SLURM_ARRAY_TASK_MAX": "7", "SLURM_ARRAY_TASK_STEP": "2"},
		"0/8 by JOB_COMPLETION_INDEX=0, JOB_COMPLETIONS=8":                    {"JOB_COMPLETION_INDEX": "0", "JOB_COMPLETIONS": "8"},
		"found neither SLURM_ARRAY_TASK_ID":                                   {},
		"found both":                                                          {"SLURM_ARRAY_TASK_ID": "3", "JOB_COMPLETION_INDEX": "0"},
		`SLURM_ARRAY_TASK_COUNT: found ""`:                                    {"SLURM_ARRAY_TASK_ID": "3"},
		`SLURM_ARRAY_TASK_ID: found "x"`:                                      {"SLURM_ARRAY_TASK_ID": "x", "SLURM_ARRAY_TASK_COUNT": "8"},
		`JOB_COMPLETIONS: found "", want a whole number: Kubernetes does not`: {"JOB_COMPLETION_INDEX": "0"},
		"parts count from 0, want 0/2 to 1/2":                                 {"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "2"},
		"do not follow each other": { // --array=3,7: the tasks that failed
			"SLURM_ARRAY_TASK_ID": "3", "SLURM_ARRAY_TASK_COUNT": "2", "SLURM_ARRAY_TASK_MIN": "3", "SLURM_ARRAY_TASK_MAX": "7"},
	} {
		part, by, err := partFromEnvironment(func(name string) string { return env[name] })
		got := fmt.Sprintf("%v by %s", part, by)
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, want) {
			t.Errorf("%v: %s, want %s", env, got, want)
		}
	}
}

// drawn writes n scenes, and a file that is no picture.
func drawn(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	for i := range n {
		if err := os.Rename(picture(t, "x.png", scenes.New(uint64(i)).Draw()), filepath.Join(dir, fmt.Sprintf("s%03d.png", i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "bad.png"), []byte("no picture"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// regionsIn are the regions at path by id.
func regionsIn(t *testing.T, path string) map[string]vision.Regions {
	t.Helper()
	source, err := data.Open(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	all := map[string]vision.Regions{}
	for r, err := range source.All() {
		if err != nil {
			t.Fatal(err)
		}
		all[r.ID] = r.Regions
	}
	return all
}

// TestExtractShards: in parts, at the same time, extract finds what it finds undivided; the last part puts all together.
func TestExtractShards(t *testing.T) {
	pictures := drawn(t, 30)
	bad := data.Part{Index: data.PartOf("bad", 3), Of: 3}
	for _, name := range []string{"out", "out.tsv"} {
		whole, out := filepath.Join(t.TempDir(), name), filepath.Join(t.TempDir(), name)
		succeeds(t, "extract", pictures, "--out", whole)
		var before map[string]string
		for round := range 2 {
			var all sync.WaitGroup
			records := make([]extractRecord, 3)
			for i := range records {
				all.Go(func() {
					code, text, errOut := command(t, "", "extract", pictures, "--out", out, "--shard", fmt.Sprintf("%d/3", i), "--json")
					if err := json.Unmarshal([]byte(text), &records[i]); code != exitOK || err != nil {
						t.Errorf("%s, part %d: exit code %d, %v: %s%s", name, i, code, err, text, errOut)
					}
				})
			}
			all.Wait()
			sum, assembled := extractRecord{}, 0
			for i, r := range records {
				if r.Part != fmt.Sprintf("%d/3", i) {
					t.Errorf("%s: part %q, want %d/3", name, r.Part, i)
				}
				sum.Images, sum.Added, sum.There, sum.Failed = sum.Images+r.Images, sum.Added+r.Added, sum.There+r.There, sum.Failed+r.Failed
				assembled = max(assembled, r.Assembled)
			}
			if sum.Images != 30 || sum.Failed != 1 || assembled != 30 || round == 0 && sum.Added != 30 || round == 1 && sum.There != 30 {
				t.Errorf("%s, round %d: %+v", name, round, records)
			}
			if !reflect.DeepEqual(regionsIn(t, out), regionsIn(t, whole)) {
				t.Errorf("%s: other regions than undivided", name)
			}
			if got := files(t, out); before != nil && !reflect.DeepEqual(got, before) {
				t.Errorf("%s: done again, the files differ", name)
			} else if before = got; !strings.Contains(got["/"+name+"."+bad.FileSuffix()+".faults.jsonl"], `"id":"bad"`) {
				t.Errorf("%s: no report of the bad picture", name)
			}
		}
		if code, text, errOut := command(t, "", "data", "assemble", out, "--json"); code != exitOK || text != `{"out":"`+out+`","count":30,"parts":3}`+"\n" {
			t.Errorf("exit code %d: %s%s", code, text, errOut)
		}
		for want, args := range map[string][]string{
			"of 3 parts, want part 1/4":                      {"--shard", "1/4"},
			"in 3 parts":                                     {},
			"found \"grid-6x6x4\"":                           {"--shard", "1/3", "--detector", "grid"},
			"parts count from 0, want 0/3 to 2/3":            {"--shard", "3/3"},
			"--shard: auto: found neither":                   {"--shard", "auto"},
			`--shard: part: found "x", want i/n such as 0/8`: {"--shard", "x"},
		} {
			if code, text, errOut := command(t, "", append([]string{"extract", pictures, "--out", out}, args...)...); code == exitOK || !strings.Contains(errOut, want) {
				t.Errorf("%s: exit code %d: %q is to be in: %s%s", name, code, want, text, errOut)
			}
		}

		// New pictures come into one part; what was assembled before is put together anew.
		more := drawn(t, 31)
		part := data.PartOf("s030", 3)
		t.Setenv("SLURM_ARRAY_TASK_ID", fmt.Sprint(part))
		t.Setenv("SLURM_ARRAY_TASK_COUNT", "3")
		code, text, errOut := command(t, "", "extract", more, "--out", out, "--shard", "auto")
		if code != exitOK || !strings.Contains(text, " 1 added") || !strings.Contains(text, ": 31 pictures in all 3 parts") ||
			!strings.Contains(errOut, fmt.Sprintf("part %d/3, by SLURM_ARRAY_TASK_ID=%d", part, part)) {
			t.Errorf("%s: exit code %d: %s%s", name, code, text, errOut)
		}
		if len(regionsIn(t, out)) != 31 {
			t.Errorf("%s: the new picture is not there", name)
		}
		t.Setenv("SLURM_ARRAY_TASK_ID", "")
		t.Setenv("SLURM_ARRAY_TASK_COUNT", "")
	}
}

// TestExtractShardKilled: processes that share pictures, one of which is killed again and again, leave what they leave when nobody is killed, byte for byte.
func TestExtractShardKilled(t *testing.T) {
	program := built(t)
	pictures := noisy(t, 60)
	for _, name := range []string{"out", "out.tsv"} {
		shard := func(out string, i int) *exec.Cmd {
			return exec.Command(program, "extract", pictures, "--out", out, "--detector", "grid-32x32x4", "--shard-mb", "1", "--shard", fmt.Sprintf("%d/2", i))
		}
		calm, out := filepath.Join(t.TempDir(), name), filepath.Join(t.TempDir(), name)
		start := time.Now()
		for i := range 2 {
			if text, err := shard(calm, i).CombinedOutput(); err != nil {
				t.Fatalf("%s: %v", text, err)
			}
		}
		took := time.Since(start) / 2
		var other sync.WaitGroup
		other.Go(func() {
			if text, err := shard(out, 1).CombinedOutput(); err != nil {
				t.Errorf("%s: %v", text, err)
			}
		})
		r := rand.New(rand.NewPCG(20, 19))
		kills := 0
		for ended := false; !ended; {
			if kills > 100 {
				t.Fatal("it does not come to an end")
			}
			cmd := shard(out, 0)
			var text bytes.Buffer
			cmd.Stdout, cmd.Stderr = &text, &text
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			done := make(chan error, 1)
			go func() { done <- cmd.Wait() }()
			select {
			case err := <-done:
				if ended = err == nil; !ended {
					t.Fatalf("%v: %s", err, text.String())
				}
			case <-time.After(took/10 + time.Duration(r.Int64N(int64(took/3)))):
				cmd.Process.Kill()
				<-done
				kills++
			}
		}
		other.Wait()
		if kills < 2 {
			t.Errorf("it was killed %d times", kills)
		}
		succeeds(t, "data", "assemble", out)
		want, got := files(t, calm), files(t, out)
		t.Logf("%s: killed %d times; %d files", name, kills, len(got))
		if !reflect.DeepEqual(got, want) {
			for file := range want {
				if got[file] != want[file] {
					t.Errorf("%s: %d bytes, want the %d of the run that was not killed", file, len(got[file]), len(want[file]))
				}
			}
			t.Errorf("%d files, want %d", len(got), len(want))
		}
	}
}

// TestPredictShards: predictions in parts are put together to the file that an undivided run writes.
func TestPredictShards(t *testing.T) {
	t.Setenv("GOMLX_BACKEND", "")
	dir := filepath.Join(t.TempDir(), "scenes")
	succeeds(t, "scenes", "generate", "--out", dir, "--images", "12")
	regions := filepath.Join(dir, "regions")
	for kind, model := range map[string]string{"vqa": "../../shipped/qa", "nlvr2": "../../shipped/nlvr2"} {
		args := []string{"predict", kind, "--model", model, "--data", filepath.Join(dir, kind+".json"), "--features", regions}
		whole, out := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "out")
		succeeds(t, append(args, "--out", whole)...)
		for i := range 3 {
			code, text, errOut := command(t, "", append(args, "--out", out, "--shard", fmt.Sprintf("%d/3", i))...)
			if code != exitOK || strings.Contains(text, "in all 3 parts") != (i == 2) {
				t.Errorf("%s, part %d: exit code %d: %s%s", kind, i, code, text, errOut)
			}
			if i == 1 {
				if code, _, errOut := command(t, "", "data", "assemble", out); code != exitFailure || !strings.Contains(errOut, "of 3 parts 2/3 is missing") {
					t.Errorf("exit code %d: %s", code, errOut)
				}
			}
		}
		want, err := os.ReadFile(whole)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(out); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: put together it is not what it is undivided, %v", kind, err)
		}
		code, _, errOut := command(t, "", append(args, "--out", out, "--shard", "1/4")...)
		if code != exitFailure || !strings.Contains(errOut, "found a file of 3 parts, want part 1/4") {
			t.Errorf("exit code %d: %s", code, errOut)
		}
		code, _, errOut = command(t, "", append(args, "--out", out, "--shard", "1/3", "--max-tokens", "19")...)
		if code != exitOK || !strings.Contains(errOut, "note: the parts were not put together") {
			t.Errorf("exit code %d: %s", code, errOut)
		}
		if code, _, errOut := command(t, "", "data", "assemble", out); code != exitFailure || !strings.Contains(errOut, "parts of two runs") {
			t.Errorf("exit code %d: %s", code, errOut)
		}

		// Without a file a part's lines; more parts than pictures, some without questions.
		lines := 0
		for i := range 20 {
			code, text, errOut := command(t, "", append(args, "--shard", fmt.Sprintf("%d/20", i))...)
			if code != exitOK {
				t.Errorf("exit code %d: %s", code, errOut)
			}
			lines += strings.Count(text, "\n")
		}
		_, all, _ := command(t, "", args...)
		if lines != strings.Count(all, "\n") {
			t.Errorf("%s: %d lines in parts, want %d", kind, lines, strings.Count(all, "\n"))
		}
	}
}
