// Package mpirun starts a test's own program on the ranks of an MPI world: the test that calls [Start] names another one, which is the
// program, and skips itself elsewhere ([Args]).
package mpirun

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The environment of a rank.
const (
	argsVariable = "LXMERT_TEST_RANK_ARGS" // a directory with a file of arguments for each rank, in which it writes its process id
	separator    = "\x00"
)

// A Job is a world under way.
type Job struct {
	*exec.Cmd
	t   testing.TB
	dir string
	out bytes.Buffer
}

// Start starts this test program n times, as the test of that name, each with its arguments. It skips the test where there is no mpirun. more is for mpirun.
func Start(t testing.TB, program string, n int, args func(rank int) []string, more ...string) *Job {
	t.Helper()
	mpirun, err := exec.LookPath("mpirun")
	if err != nil {
		t.Skip("there is no mpirun: apt-get install openmpi-bin libopenmpi-dev")
	}
	j := &Job{t: t, dir: t.TempDir()}
	for rank := range n {
		if err := os.WriteFile(j.file("args", rank), []byte(strings.Join(args(rank), separator)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	options := append([]string{"--allow-run-as-root", "--oversubscribe", "-n", strconv.Itoa(n)}, more...)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	j.Cmd = exec.CommandContext(ctx, mpirun, append(options, os.Args[0], "-test.run=^"+program+"$", "-test.count=1")...)
	j.Env = append(os.Environ(), argsVariable+"="+j.dir)
	j.Stdout, j.Stderr = &j.out, &j.out
	if err := j.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return j
}

func (j *Job) file(what string, rank int) string {
	return filepath.Join(j.dir, fmt.Sprintf("%s-%d", what, rank))
}

// End waits until mpirun has ended and gives its exit code and all that was said.
func (j *Job) End() (code int, said string) {
	j.t.Helper()
	if err := j.Wait(); err != nil && j.ProcessState == nil {
		j.t.Fatal(err)
	}
	return j.ProcessState.ExitCode(), j.out.String()
}

// Rank is the process of a rank.
func (j *Job) Rank(rank int) *os.Process {
	j.t.Helper()
	text, err := os.ReadFile(j.file("pid", rank))
	if err != nil {
		j.t.Fatal(err)
	}
	pid, err := strconv.Atoi(string(text))
	if err != nil {
		j.t.Fatal(err)
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		j.t.Fatal(err)
	}
	return process
}

// Args is what the program of a rank begins with: its arguments. Elsewhere it skips the test.
func Args(t testing.TB) []string {
	t.Helper()
	dir, number := os.Getenv(argsVariable), os.Getenv("OMPI_COMM_WORLD_RANK")+os.Getenv("PMI_RANK")
	if dir == "" || number == "" {
		t.Skip("the other half of a test with mpirun")
	}
	if err := os.WriteFile(filepath.Join(dir, "pid-"+number), []byte(strconv.Itoa(os.Getpid())), 0o644); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "args-"+number))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(text), separator)
}
