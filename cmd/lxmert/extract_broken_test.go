package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"image"
	"image/color/palette"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// brokenPictures are 200 files that are no pictures any more, or never were, by name.
func brokenPictures(t *testing.T, img image.Image) map[string][]byte {
	whole := map[string][]byte{}
	encode := func(kind string, f func(*bytes.Buffer) error) {
		var b bytes.Buffer
		if err := f(&b); err != nil {
			t.Fatal(err)
		}
		whole[kind] = b.Bytes()
	}
	encode("png", func(b *bytes.Buffer) error { return png.Encode(b, img) })
	encode("jpg", func(b *bytes.Buffer) error { return jpeg.Encode(b, img, nil) })
	encode("gif", func(b *bytes.Buffer) error { return gif.Encode(b, img, nil) })
	encode("bmp", func(b *bytes.Buffer) error { return bmp.Encode(b, img) })
	encode("tiff", func(b *bytes.Buffer) error { return tiff.Encode(b, img, nil) })
	all := map[string][]byte{}
	for kind, content := range whole {
		for i := range 30 { // cut off
			all[fmt.Sprintf("cut%02d.%s", i, kind)] = content[:len(content)*i/40]
		}
		all["wrong-ending-"+kind+".webp"] = append([]byte("not "), content...)
		all["zeros."+kind] = make([]byte, 1000)
	}
	le, be := binary.LittleEndian, binary.BigEndian
	// Bombs: 100,000 × 100,000 pixels in a few bytes.
	header := append([]byte("IHDR"), be.AppendUint32(be.AppendUint32(nil, 100_000), 100_000)...)
	header = append(header, 8, 2, 0, 0, 0)
	all["bomb.png"] = be.AppendUint32(append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), header...), crc32.ChecksumIEEE(header))
	bomb := bytes.Clone(whole["bmp"])
	le.PutUint32(bomb[18:], 100_000)
	le.PutUint32(bomb[22:], 100_000)
	all["bomb.bmp"] = bomb
	bomb = bytes.Clone(whole["gif"])
	le.PutUint16(bomb[6:], 65_535)
	le.PutUint16(bomb[8:], 65_535)
	all["bomb.gif"] = bomb
	bomb = bytes.Clone(whole["jpg"])
	at := bytes.Index(bomb, []byte{0xff, 0xc0})
	be.PutUint16(bomb[at+5:], 65_535)
	be.PutUint16(bomb[at+7:], 65_535)
	all["bomb.jpg"] = bomb
	all["bomb.webp"] = []byte("RIFF\x20\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00\x9f\x86\x01\x9f\x86\x01" + "VP8 \x00\x00\x00\x00")
	for i := 0; len(all) < 200; i++ { // noise behind a picture's first bytes
		content := append([]byte(nil), whole["jpg"][:4+i]...)
		for j := range 2000 {
			content = append(content, byte(j*j*(i+3)>>3))
		}
		all[fmt.Sprintf("noise%02d.jpeg", i)] = content
	}
	return all
}

// Two hundred broken pictures cost a line each, and little time; the good ones among them, an animated one too, are there.
func TestExtractBroken(t *testing.T) {
	dir := t.TempDir()
	img := image.NewPaletted(image.Rect(0, 0, 64, 48), palette.WebSafe)
	for i := range img.Pix {
		img.Pix[i] = uint8(i * 7 % 200)
	}
	broken := brokenPictures(t, img)
	if len(broken) != 200 {
		t.Fatalf("%d files, want 200", len(broken))
	}
	for name, content := range broken {
		if err := os.WriteFile(filepath.Join(dir, strings.NewReplacer(".", "-").Replace(name)+filepath.Ext(name)), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var good, moving bytes.Buffer
	if err := png.Encode(&good, img); err != nil {
		t.Fatal(err)
	}
	if err := gif.EncodeAll(&moving, &gif.GIF{Image: []*image.Paletted{img, img, img}, Delay: []int{1, 1, 1}}); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"good.png": good.Bytes(), "moving.gif": moving.Bytes()} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(t.TempDir(), "regions")
	start := time.Now()
	var record extractRecord
	if err := json.Unmarshal([]byte(succeeds(t, "extract", "--json", "--detector", "grid", "--out", out, dir)), &record); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
	if record.Added != 2 || record.Failed != 200 {
		t.Errorf("%d added, %d failed, want 2 and 200", record.Added, record.Failed)
	}
	report, err := os.ReadFile(record.Report)
	if err != nil || bytes.Count(report, []byte("\n")) != 200 {
		t.Errorf("%d lines in the report, want 200: %v", bytes.Count(report, []byte("\n")), err)
	}
}
