package vision

import (
	"bytes"
	"image/gif"
	"strings"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// TestStoredSize: every format's header says how large a picture is, as Decode finds it, and bombs are refused.
func TestStoredSize(t *testing.T) {
	want := Size{31, 17}
	files := map[string][]byte{"PNG": asPNG(t, sample()), "JPEG": asJPEG(t, sample())}
	var file bytes.Buffer
	for name, encode := range map[string]func() error{
		"GIF": func() error { return gif.Encode(&file, sample(), nil) }, "BMP": func() error { return bmp.Encode(&file, sample()) },
		"TIFF": func() error { return tiff.Encode(&file, sample(), nil) },
	} {
		file.Reset()
		if err := encode(); err != nil {
			t.Fatal(err)
		}
		files[name] = bytes.Clone(file.Bytes())
	}
	for name, content := range files {
		if got, err := StoredSize(content); err != nil || got != want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		for end := range min(len(content), 60) { // no beginning makes it panic
			StoredSize(content[:end])
		}
	}
	for text, content := range map[string][]byte{"the file is empty": nil, `begins with "hello"`: []byte("hello"), "100000 × 100000 pixels": pngOf(100_000, 100_000)} {
		if _, err := StoredSize(content); err == nil || !strings.Contains(err.Error(), text) {
			t.Errorf("%v, want it to say %q", err, text)
		}
	}
}
