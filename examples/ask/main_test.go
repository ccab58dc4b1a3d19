package main

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/scenes"
)

func TestAsk(t *testing.T) {
	dir := t.TempDir()
	for name, img := range map[string]image.Image{"scene.png": scenes.New(3).Draw(), "black.png": image.NewGray(image.Rect(0, 0, 40, 30))} {
		var content, out bytes.Buffer
		if err := png.Encode(&content, img); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := ask(t.Context(), &out, []string{path, "What color is the car?", "Why?"}); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		warned := strings.Contains(out.String(), "this is no drawn scene")
		if !strings.HasPrefix(lines[0], "What color is the car? ") || !strings.HasPrefix(lines[1], "Why? ") || warned != (name == "black.png") {
			t.Errorf("%s: %s", name, out.String())
		}
	}
	if err := ask(t.Context(), os.Stdout, []string{filepath.Join(dir, "nothing.png"), "why?"}); err == nil || !strings.Contains(err.Error(), "nothing.png") {
		t.Errorf("no picture: %v", err)
	}
	if err := ask(t.Context(), os.Stdout, nil); err == nil {
		t.Error("no arguments were taken")
	}
}
