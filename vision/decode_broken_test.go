package vision

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// broken are 200 files that are no pictures: cut off, empty of pixels, of impossible sizes.
func broken(t testing.TB) map[string][]byte {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	all := map[string][]byte{}
	whole := pictures(t)
	whole["a.jpg"] = asJPEG(t, sample())
	for name, file := range whole {
		for _, part := range []float64{0.1, 0.5, 0.8} {
			if strings.HasPrefix(name, "animated") && part > 0.5 {
				continue // all of the first frame may be there
			}
			all[fmt.Sprintf("%s, %.0f %%", name, 100*part)] = file[:int(part*float64(len(file)))]
		}
		switch name {
		case "24.bmp", "bilevel.bmp", "grey.bmp", "palette.bmp", "even.webp", "lossy.webp":
			continue // pixels that are nothing but zeros are pixels there
		}
		zeros := bytes.Clone(file) // as after a crash
		clear(zeros[40:])
		all[name+", zeros"] = zeros
	}
	for name, file := range bombs() {
		all[name] = file
	}
	for i := 0; len(all) < 200; i++ {
		noise := make([]byte, 100+r.IntN(1000))
		for j := range noise {
			noise[j] = byte(r.Uint32())
		}
		starts := []string{"\x89PNG\r\n\x1a\n", "\xff\xd8\xff", "GIF89a",
			"RIFF\xff\x00\x00\x00WEBPVP8 ", "BM\x00\x00\x00\x00\x00\x00\x00\x00", "II*\x00\x08\x00\x00\x00", "", "%PDF"}
		copy(noise, starts[i%len(starts)])
		all[fmt.Sprintf("noise %d", i)] = noise
	}
	return all
}

// TestBroken: each is an error, at once.
func TestBroken(t *testing.T) {
	for name, file := range broken(t) {
		start := time.Now()
		img, err := Decode(bytes.NewReader(file))
		if took := time.Since(start); took > 100*time.Millisecond {
			t.Errorf("%s took %v", name, took)
		}
		if err == nil || img != nil {
			t.Errorf("%s: no error", name)
			continue
		}
		if text := err.Error(); strings.Contains(text, "its decoder stopped") {
			t.Logf("%s: %v", name, err)
		}
	}
}

// TestTruncated: what is cut off is said to be, with the format's name.
func TestTruncated(t *testing.T) {
	for name, file := range pictures(t) {
		if strings.HasPrefix(name, "animated") {
			continue // half of it may be all of the first frame
		}
		_, err := Decode(bytes.NewReader(file[:len(file)/2]))
		if err == nil || !strings.Contains(err.Error(), "file ends too early") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// tiffOf is a directory with the entries, each one number in 32 bits.
func tiffOf(entries ...uint32) []byte {
	file := binary.LittleEndian.AppendUint16([]byte("II*\x00\x08\x00\x00\x00"), uint16(len(entries)/2))
	for i := 0; i < len(entries); i += 2 {
		file = binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(file, uint16(entries[i])), 4)
		file = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(file, 1), entries[i+1])
	}
	return append(file, make([]byte, 64)...)
}

// bmpOf claims a size.
func bmpOf(width, height uint32) []byte {
	file := append([]byte("BM"), make([]byte, 52)...)
	binary.LittleEndian.PutUint32(file[10:], 54)
	binary.LittleEndian.PutUint32(file[14:], 40)
	binary.LittleEndian.PutUint32(file[18:], width)
	binary.LittleEndian.PutUint32(file[22:], height)
	file[26], file[28] = 1, 24
	return file
}

// riffOf is a WebP file of one chunk.
func riffOf(name string, data ...byte) []byte {
	body := binary.LittleEndian.AppendUint32([]byte("WEBP"+name), uint32(len(data)))
	body = append(append(body, data...), make([]byte, len(data)&1)...)
	return append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(body))), body...)
}

// bombs claim 100,000 × 100,000 pixels, or as many as their format can.
func bombs() map[string][]byte {
	return map[string][]byte{
		"PNG bomb":          pngOf(100_000, 100_000),
		"JPEG bomb":         []byte("\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03\x01\x22\x00\x02\x11\x00\x03\x11\x00"),
		"progressive bomb":  []byte("\xff\xd8\xff\xc2\x00\x11\x08\xff\xff\xff\xff\x03\x01\x22\x00\x02\x11\x00\x03\x11\x00"),
		"GIF bomb":          []byte("GIF89a\xff\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02"),
		"GIF frame bomb":    []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00,\x00\x00\x00\x00\xff\xff\xff\xff\x00\x02"),
		"GIF far frame":     []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00,\xff\xff\xff\xff\xff\xff\xff\xff\x00\x02"),
		"lossless bomb":     riffOf("VP8L", 0x2f, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0),
		"lossy bomb":        riffOf("VP8 ", 0x10, 0, 0, 0x9d, 0x01, 0x2a, 0xff, 0x3f, 0xff, 0x3f, 0, 0),
		"BMP bomb":          bmpOf(100_000, 100_000),
		"upside-down bomb":  bmpOf(100_000, 1<<31),
		"TIFF bomb":         tiffOf(256, 100_000, 257, 100_000),
		"TIFF number bomb":  append(binary.LittleEndian.AppendUint32([]byte("II*\x00\x08\x00\x00\x00\x01\x00\x11\x01\x04\x00"), 1<<31), make([]byte, 64)...),
		"TIFF tile bomb":    tiffOf(256, 8, 257, 8, 322, 60_000, 323, 60_000, 324, 8, 325, 8),
		"TIFF tiles":        tiffOf(256, 8, 257, 1<<22, 322, 1<<16, 323, 8, 324, 8, 325, 8),
		"canvas of a still": riffOf("VP8X", 0, 0, 0, 0, 0x9f, 0x86, 1, 0x9f, 0x86, 1),
	}
}

// TestBombs: the sizes that formats can state are named in the error.
func TestBombs(t *testing.T) {
	for name, want := range map[string]string{
		"PNG bomb": "100000 × 100000 pixels, want 1 to 64 million", "JPEG bomb": "65535 × 65535 pixels",
		"progressive bomb": "65535 × 65535 pixels",
		"GIF bomb":         "65535 × 65535 pixels", "GIF frame bomb": "65535 × 65535 pixels", "GIF far frame": "131070 × 131070 pixels",
		"lossless bomb": "16384 × 16384 pixels", "lossy bomb": "16383 × 16383 pixels", "BMP bomb": "100000 × 100000 pixels",
		"upside-down bomb": "100000 × 2147483648 pixels",
		"TIFF bomb":        "100000 × 100000 pixels", "TIFF number bomb": "more than 4 million numbers", "TIFF tile bomb": "tiles of 60000 × 60000", "TIFF tiles": "tiles of 65536 × 8",
	} {
		if _, err := Decode(bytes.NewReader(bombs()[name])); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want it to say %q", name, err, want)
		}
	}
}

// TestTIFFParts: strips that overlap, or unpack to much more than their pixels, are refused before they are unpacked; "all rows in one strip" is no bomb.
func TestTIFFParts(t *testing.T) {
	const packBits, deflate = 32773, 8
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	z.Write(make([]byte, 64<<20))
	z.Close()
	entries := func(compression, rows, bytes uint32) []uint32 {
		return []uint32{256, 8, 257, 8, 258, 8, 259, compression, 262, 1, 273, 200, 278, rows, 279, bytes}
	}
	padded := func(file []byte) []byte { return append(file, make([]byte, 200-len(file))...) }
	file := append(padded(tiffOf(entries(deflate, 1<<32-1, uint32(packed.Len()))...)), packed.Bytes()...)
	img, err := Decode(bytes.NewReader(file))
	if err != nil || img.Bounds().Dx() != 8 {
		t.Errorf("all rows in one strip: %v", err)
	}
	file = append(padded(tiffOf(entries(packBits, 8, 1<<20)...)), bytes.Repeat([]byte{0x81, 0}, 1<<19)...)
	if _, err := Decode(bytes.NewReader(file)); err == nil || !strings.Contains(err.Error(), "a strip or tile of 64 MB") {
		t.Errorf("pack bits: %v", err)
	}
	if _, err := Decode(bytes.NewReader(tiffOf(entries(1, 8, 1<<20)...))); err == nil || !strings.Contains(err.Error(), "ends too early") {
		t.Errorf("beyond the end: %v", err)
	}
	if _, err := Decode(bytes.NewReader(tiffOf(entries(1, 1, 1)...))); err == nil || !strings.Contains(err.Error(), "of 8 strips or tiles") {
		t.Errorf("too few strips: %v", err)
	}
	planes := tiffOf(256, 8, 257, 8, 258, 8, 277, 3, 284, 2)
	if _, err := Decode(bytes.NewReader(planes)); err == nil || !strings.Contains(err.Error(), "separate planes") {
		t.Errorf("planes: %v", err)
	}
}

// TestAnimations: of thousands of frames only the first is decoded.
func TestAnimations(t *testing.T) {
	for _, name := range []string{"animated.gif", "animated.webp"} {
		file := pictures(t)[name]
		want, err := Decode(bytes.NewReader(file))
		if err != nil {
			t.Fatal(err)
		}
		long := append(bytes.Clone(file), bytes.Repeat(file[len(file)/2:], 5000)...) // what follows is not looked at
		best := time.Hour                                                            // of several tries: others may want the processors
		for range 5 {
			start := time.Now()
			got, err := Decode(bytes.NewReader(long))
			if err != nil || got.Bounds() != want.Bounds() {
				t.Errorf("%s: %v", name, err)
			}
			if best = min(best, time.Since(start)); best <= 300*time.Millisecond {
				break
			}
		}
		if best > 300*time.Millisecond {
			t.Errorf("%s: %v", name, best)
		}
	}
}
