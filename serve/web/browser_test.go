package web

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestBrowser runs the tests of the page in a real Chromium (docs/page.md), where they can run.
func TestBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("takes minutes: left out with -short")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("there is no node: the page is not tested in a browser")
	}
	if _, err := os.Stat(filepath.Join("test", "node_modules", "playwright-core")); err != nil {
		t.Skip("npm ci has not been run in serve/web/test: the page is not tested in a browser")
	}
	if chromium() == "" {
		t.Skip("there is no Chromium, and none in $CHROMIUM: the page is not tested in a browser")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	command := filepath.Join(t.TempDir(), "lxmert")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", command, "../../cmd/lxmert").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.CommandContext(ctx, node, "--test", "--test-concurrency=1")
	cmd.Dir = "test"
	cmd.Env = append(os.Environ(), "SCREENSHOTS="+t.TempDir(), "LXMERT="+command)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // so that it ends its browser and its server
	cmd.WaitDelay = 10 * time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// chromium is the browser that the tests would take; setup.mjs looks at the same places.
func chromium() string {
	for _, file := range []string{os.Getenv("CHROMIUM"), "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"} {
		if file == "" {
			continue
		}
		if _, err := os.Stat(file); err == nil {
			return file
		}
	}
	return ""
}
