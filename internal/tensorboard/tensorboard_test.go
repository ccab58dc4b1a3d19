package tensorboard

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

var at = time.Unix(1_700_000_000, 250_000_000)

// TestEvents: what is written is what a reader that shares no code with the writer finds.
func TestEvents(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run", "tensorboard")
	w, err := Create(dir, at, 501)
	if err != nil {
		t.Fatal(err)
	}
	if name := filepath.Base(w.Path()); !strings.HasPrefix(name, "events.out.tfevents.1700000000.") {
		t.Errorf("the file is %s", name)
	}
	if err := w.Scalars(501, at, map[string]float64{"train/loss": 1.25, "train/grad_norm": math.Inf(1), "lr": 1e-4}); err != nil {
		t.Fatal(err)
	}
	if err := w.Scalars(1<<40, at.Add(time.Second), map[string]float64{"ü": -2}); err != nil {
		t.Fatal(err)
	}
	if err := w.Scalars(7, at, nil); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), w.Close()); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(w.Path())
	if err != nil {
		t.Fatal(err)
	}
	// A file that TensorFlow wrote begins so: 24 bytes, their number's checksum, and the time's key.
	if want := []byte("\x18\x00\x00\x00\x00\x00\x00\x00\xa3\x7f\x4b\x22\x09"); !bytes.HasPrefix(content, want) {
		t.Errorf("the file begins with % x, want % x", content[:len(want)], want)
	}
	got := parse(t, content)
	want := []string{
		"1: 1700000000.25 3: brain.Event:2",
		"1: 1700000000.25 2: 501 7: {1: 1}",
		"1: 1700000000.25 2: 501 5: {1: {1: lr 2: 0.0001} 1: {1: train/grad_norm 2: +Inf} 1: {1: train/loss 2: 1.25}}",
		"1: 1700000001.25 2: 1099511627776 5: {1: {1: ü 2: -2}}",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestFlush: what was flushed can be seen; a run that begins afresh purges nothing; two files of a second have two names.
func TestFlush(t *testing.T) {
	dir := t.TempDir()
	w, err := Create(dir, at, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	second, err := Create(dir, at, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if second.Path() == w.Path() {
		t.Errorf("two files are both %s", w.Path())
	}
	for _, flushed := range []int{1, 2} {
		content, err := os.ReadFile(w.Path())
		if err != nil {
			t.Fatal(err)
		}
		if got := parse(t, content); len(got) != flushed || strings.Contains(got[0], "7:") {
			t.Errorf("found %q, want %d events", got, flushed)
		}
		if err := w.Scalars(1, at, map[string]float64{"loss": 1}); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestErrors: they say which file.
func TestErrors(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Create(file, at, 0); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v", err)
	}
	w, err := Create(t.TempDir(), at, 0)
	if err != nil {
		t.Fatal(err)
	}
	w.file.Close() // behind the writer's back, as a full disk would
	if err := w.Scalars(1, at, map[string]float64{"loss": 1}); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err == nil || !strings.Contains(err.Error(), w.Path()) {
		t.Errorf("got %v", err)
	}
	if err := w.Close(); err == nil {
		t.Error("a file that could not be written was closed without an error")
	}
	for _, err := range []error{w.Flush(), w.Scalars(1, at, map[string]float64{"loss": 1})} {
		if !errors.Is(err, fs.ErrClosed) || !strings.Contains(err.Error(), w.Path()) {
			t.Errorf("got %v", err)
		}
	}
}

// TestCRC: RFC 3720's examples (B.4), by the checksum that the parser below computes bit by bit.
func TestCRC(t *testing.T) {
	ascending := make([]byte, 32)
	for i := range ascending {
		ascending[i] = byte(i)
	}
	for want, data := range map[uint32][]byte{
		0x8a9136aa: make([]byte, 32),
		0x62a8ab43: bytes.Repeat([]byte{0xff}, 32),
		0x46dd794e: ascending,
		0xe3069283: []byte("123456789"),
	} {
		if got := bitwiseCRC(data); got != want {
			t.Errorf("% x: %08x, want %08x", data, got, want)
		}
		if got := MaskedCRC(data); got != masked(want) {
			t.Errorf("% x: %08x masked, want %08x", data, got, masked(want))
		}
	}
}

func bitwiseCRC(data []byte) uint32 {
	crc := ^uint32(0)
	for _, b := range data {
		crc ^= uint32(b)
		for range 8 {
			if crc&1 == 1 {
				crc = crc>>1 ^ 0x82f63b78
			} else {
				crc >>= 1
			}
		}
	}
	return ^crc
}

func masked(crc uint32) uint32 { return (crc>>15 | crc<<17) + 0xa282ead8 }

// parse reads a file's records, checks their checksums, and gives the events as text.
func parse(t *testing.T, content []byte) []string {
	t.Helper()
	var events []string
	for len(content) > 0 {
		if len(content) < 16 {
			t.Fatalf("%d bytes at the end", len(content))
		}
		size := binary.LittleEndian.Uint64(content)
		if got, want := binary.LittleEndian.Uint32(content[8:]), masked(bitwiseCRC(content[:8])); got != want {
			t.Fatalf("the length's checksum is %08x, want %08x", got, want)
		}
		if uint64(len(content)) < 16+size {
			t.Fatalf("%d bytes are left of a record of %d", len(content), size)
		}
		data, rest := content[12:12+size], content[12+size:]
		if got, want := binary.LittleEndian.Uint32(rest), masked(bitwiseCRC(data)); got != want {
			t.Fatalf("the data's checksum is %08x, want %08x", got, want)
		}
		events, content = append(events, message(t, data, map[uint64]int{5: 2, 7: 1})), rest[4:]
	}
	return events
}

// message is a protocol buffer as text. nested says which fields are messages, and how deep they nest, always in field 1.
func message(t *testing.T, data []byte, nested map[uint64]int) string {
	t.Helper()
	var fields []string
	for len(data) > 0 {
		key, n := binary.Uvarint(data)
		if n <= 0 {
			t.Fatalf("no key in % x", data)
		}
		data = data[n:]
		var text string
		switch field := key >> 3; key & 7 {
		case 0:
			v, n := binary.Uvarint(data)
			text, data = fmt.Sprint(int64(v)), data[n:]
		case 1:
			text, data = fmt.Sprintf("%.2f", math.Float64frombits(binary.LittleEndian.Uint64(data))), data[8:]
		case 5:
			text, data = fmt.Sprintf("%v", math.Float32frombits(binary.LittleEndian.Uint32(data))), data[4:]
		case 2:
			size, n := binary.Uvarint(data)
			inner := data[n : n+int(size)]
			data = data[n+int(size):]
			if depth := nested[field]; depth > 0 {
				text = "{" + message(t, inner, map[uint64]int{1: depth - 1}) + "}"
			} else {
				text = string(inner)
			}
		default:
			t.Fatalf("layout %d", key&7)
		}
		fields = append(fields, fmt.Sprintf("%d: %s", key>>3, text))
	}
	return strings.Join(fields, " ")
}
