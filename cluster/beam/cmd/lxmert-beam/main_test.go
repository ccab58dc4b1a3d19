package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"

	"github.com/go-lxmert/lxmert/scenes"
)

// asProgram is the variable by which the test's own program knows that it is to be lxmert-beam, or Prism at a port.
const asProgram = "LXMERT_BEAM_TEST_AS"

func TestMain(m *testing.M) {
	switch as := os.Getenv(asProgram); {
	case as == "lxmert-beam":
		main()
	case as != "":
		port, err := strconv.Atoi(as)
		if err == nil {
			_, err = prism.CreateJobServer(context.Background(), prism.Options{Port: port})
		}
		if err != nil {
			panic(err)
		}
		select {}
	}
	os.Exit(m.Run())
}

// A process is one of this program.
type process struct {
	*exec.Cmd
	out   lockedBuffer
	ended chan error
}

// lockedBuffer is a buffer that may be read while others write.
type lockedBuffer struct {
	lock sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.lock.Lock()
	defer b.lock.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.lock.Lock()
	defer b.lock.Unlock()
	return b.text.String()
}

func begin(t *testing.T, as string, args ...string) *process {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: exec.CommandContext(t.Context(), program, args...), ended: make(chan error, 1)}
	p.Env = append(os.Environ(), asProgram+"="+as)
	p.Stdout, p.Stderr = &p.out, &p.out
	p.WaitDelay = time.Second
	p.Cancel = func() error { return p.Process.Signal(syscall.SIGTERM) }
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { p.ended <- p.Wait() }()
	t.Cleanup(func() {
		p.Process.Signal(syscall.SIGTERM) // so that a pool ends its workers
		select {
		case <-p.ended:
		case <-time.After(2 * time.Second):
			p.Process.Kill()
		}
	})
	return p
}

// wait waits for the end of a process that is to succeed.
func (p *process) wait(t *testing.T) {
	t.Helper()
	select {
	case err := <-p.ended:
		p.ended <- err
		if err != nil {
			t.Fatalf("%v\n%s", err, p.out.String())
		}
	case <-time.After(2 * time.Minute):
		t.Fatalf("no end after two minutes\n%s", p.out.String())
	}
}

// until waits for something that happens soon.
func until(t *testing.T, what string, happened func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !happened(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited a minute for %s", what)
		}
	}
}

func drawn(t *testing.T, n int) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "drawn")
	if _, err := scenes.Generate(t.Context(), dir, scenes.Options{Images: n, Seed: 5}); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "images")
}

// contents are a store's files.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	paths, err := filepath.Glob(filepath.Join(dir, "[a-z]*"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: %d files, %v", dir, len(paths), err)
	}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all[filepath.Base(path)] = string(content)
	}
	return all
}

func same(t *testing.T, dir string, want map[string]string) {
	t.Helper()
	got := contents(t, dir)
	if len(got) != len(want) {
		t.Errorf("%s: %d files, want %d", dir, len(got), len(want))
	}
	for name := range want {
		if got[name] != want[name] {
			t.Errorf("%s: %s differs", dir, name)
		}
	}
}

// freePort is one that nobody listens at.
func freePort(t *testing.T) string {
	t.Helper()
	p := begin(t, "lxmert-beam", "worker", "--listen", "localhost:0")
	until(t, "a port", func() bool {
		return strings.Contains(p.out.String(), "127.0.0.1:") || strings.Contains(p.out.String(), "]:")
	})
	text := strings.TrimSpace(p.out.String())
	p.Process.Kill()
	return text[strings.LastIndexByte(text, ':')+1:]
}

// A stand-alone Prism runs jobs of a launcher that is the worker, and of workers from a pool; one that is killed costs its part and no other.
func TestStandAlonePrism(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("workers are found in /proc")
	}
	pictures := drawn(t, 60)
	plain := filepath.Join(t.TempDir(), "embedded")
	begin(t, "lxmert-beam", "extract", pictures, "--out", plain, "--parts", "30").wait(t)
	want := contents(t, plain)

	port := freePort(t)
	begin(t, port)
	loopback := filepath.Join(t.TempDir(), "loopback")
	job := func(out string, flags ...string) *process {
		args := append([]string{"extract", pictures, "--out", out, "--parts", "30", "--runner", "universal", "--endpoint", "localhost:" + port}, flags...)
		return begin(t, "lxmert-beam", args...)
	}
	job(loopback, "--workers", "2", "--environment_type", "LOOPBACK").wait(t)
	same(t, loopback, want)

	pool := begin(t, "lxmert-beam", "worker", "--listen", "localhost:0")
	until(t, "the pool", func() bool { return strings.Contains(pool.out.String(), "waiting") })
	text := strings.TrimSpace(pool.out.String())
	at := "localhost" + text[strings.LastIndexByte(text, ':'):]
	out := filepath.Join(t.TempDir(), "pool")
	launcher := job(out, "--retries", "2", "--environment_type", "EXTERNAL", "--environment_config", at)
	killChild(t, pool, out)
	launcher.wait(t)
	same(t, out, want)
	for _, want := range []string{"attempt 2 of 3", "parts that were whole already", "SDK worker disconnected"} {
		if said := launcher.out.String(); !strings.Contains(said, want) {
			t.Errorf("the launcher said %s, want %q", said, want)
		}
	}
}

// killChild kills a child of a process, when a part or two have been made.
func killChild(t *testing.T, parent *process, out string) {
	t.Helper()
	until(t, "the first parts", func() bool {
		found, _ := filepath.Glob(filepath.Join(out+".beam", "part-*-of-*.json"))
		return len(found) >= 2
	})
	pid := strconv.Itoa(parent.Process.Pid)
	children := ""
	threads, _ := filepath.Glob(filepath.Join("/proc", pid, "task", "*", "children"))
	for _, thread := range threads {
		text, _ := os.ReadFile(thread)
		children += string(text)
	}
	fields := strings.Fields(children)
	if len(fields) == 0 {
		if _, err := os.Stat(filepath.Join("/proc", pid, "task", pid, "children")); err != nil {
			t.Skip("this kernel does not say which children a process has")
		}
		t.Fatal("the worker has ended before it could be killed")
	}
	child, err := strconv.Atoi(fields[0])
	if err != nil {
		t.Fatal(err)
	}
	worker, err := os.FindProcess(child)
	if err == nil {
		err = worker.Kill()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// With --retries a process that is killed, with embedded Prism and worker in it, is started again and goes on.
func TestKilled(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the process is found in /proc")
	}
	pictures := drawn(t, 60)
	plain, out := filepath.Join(t.TempDir(), "plain"), filepath.Join(t.TempDir(), "killed")
	begin(t, "lxmert-beam", "extract", pictures, "--out", plain, "--parts", "30").wait(t)
	p := begin(t, "lxmert-beam", "extract", pictures, "--out", out, "--parts", "30", "--retries", "1")
	killChild(t, p, out)
	p.wait(t)
	same(t, out, contents(t, plain))
	if said := p.out.String(); !strings.Contains(said, "signal: killed; attempt 2 of 2") || !strings.Contains(said, "parts that were whole already") {
		t.Errorf("it said %s", said)
	}
}

func TestCommandLines(t *testing.T) {
	for _, c := range []struct {
		line string
		code int
		want string
	}{
		{"", exitOK, "Available Commands"},
		{"--help", exitOK, "Available Commands"},
		{"extract --help", exitOK, "--environment_config"},
		{"predict --help", exitOK, "--submission"},
		{"data --help", exitOK, "own, lxmert"},
		{"worker --help", exitOK, "--listen"},
		{"nothing", exitUsage, `unknown command "nothing"`},
		{"extract --out x", exitUsage, "wants pictures"},
		{"extract x", exitUsage, "wants --out"},
		{"predict vqa x --out y", exitUsage, "wants --regions"},
		{"extract x --out y --id z", exitUsage, "--id: found"},
		{"extract x --out y --shard-mb 0", exitUsage, "--shard-mb: found"},
		{"extract x --out y --retries -1", exitUsage, "--retries: found"},
		{"extract x --out y --nonsense", exitUsage, "unknown flag"},
		{"extract x --out y --detector nonsense", exitFailure, "the detector"},
		{"extract x --out /dev/null/y", exitFailure, "not a directory"},
		{"predict vqa", exitUsage, "wants a kind"},
		{"predict x y --regions z --out a", exitUsage, "found kind"},
		{"predict vqa y --regions z --out a --format csv", exitUsage, "--format: found"},
		{"predict vqa y --regions /nothing --out a", exitFailure, "/nothing"},
		{"data x y --out z", exitUsage, "found kind"},
		{"data vqa /nothing --out z", exitFailure, "is not there"},
	} {
		var out bytes.Buffer
		if code := run(t.Context(), strings.Fields(c.line), &out, &out); code != c.code || !strings.Contains(out.String(), c.want) {
			t.Errorf("%s: exit code %d, want %d; %s, want %q", c.line, code, c.code, out.String(), c.want)
		}
	}
	// What our own code says is wrong is not tried again.
	p := begin(t, "lxmert-beam", "extract", "/nothing", "--out", filepath.Join(t.TempDir(), "x"), "--retries", "3")
	if err := <-p.ended; p.ProcessState.ExitCode() != exitFailure || strings.Contains(p.out.String(), "attempt") {
		t.Errorf("%v: %s", err, p.out.String())
	}
	p.ended <- nil
	if !isWorker([]string{"--id=1", "--worker=true"}) || isWorker([]string{"worker"}) || isWorker(nil) {
		t.Error("workers are not told from people")
	}
}
