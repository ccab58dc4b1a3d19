package source

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/xitongsys/parquet-go/writer"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/go-lxmert/lxmert/internal/tensorboard"
)

func TestFormatOf(t *testing.T) {
	for path, want := range map[string]Format{
		"a.txt": Lines, "a": Lines, "a.jsonl": JSONL, "x/A.JSONL": JSONL, "a.ndjson": JSONL, "a.parquet": Parquet,
		"s3://b/a.tfrecord": TFRecord, "a.tfrecord.gz": TFRecord,
		"a.tfrecord-00001-of-00064": TFRecord, "a.tfrecords": TFRecord, "x.tfrecord/a.txt": Lines,
	} {
		if got := FormatOf(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// told is what Read gives, a line for each record.
func told(t *testing.T, content []byte, format Format) (string, error) {
	t.Helper()
	var all []string
	err := Read(bytes.NewReader(content), format, DefaultFields(), func(r Record, err error) bool {
		var bad *RecordError
		switch {
		case errors.As(err, &bad):
			all = append(all, fmt.Sprintf("%d bad", bad.Record))
		case err != nil:
			t.Errorf("%v, want a RecordError", err)
		default:
			all = append(all, fmt.Sprintf("%s %s %s", r.ID, r.Path, r.Content))
		}
		return true
	})
	return strings.Join(all, "|"), err
}

func TestLines(t *testing.T) {
	if got, err := told(t, []byte("a.png\r\n\nb c.png\n"), Lines); got != " a.png | b c.png " || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := told(t, bytes.Repeat([]byte{'x'}, 1<<17), Lines); err == nil || !strings.Contains(err.Error(), "line 1 has more") {
		t.Errorf("a long line: %v", err)
	}
	content := `{"id": 7, "path": "a.png"}
{"image_id": "x", "image": "` + base64.StdEncoding.EncodeToString([]byte("PIC")) + `"}
{"id": "y"}
[]
{"id": 1.5, "path": "b"}
{"id": "z", "image": "?"}
{"image": "UElD"}`
	if got, err := told(t, []byte(content), JSONL); got != "7 a.png |x  PIC|2 bad|3 bad|4 bad|5 bad|6 bad" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

// recorded is a TFRecord file.
func recorded(records ...[]byte) []byte {
	var out []byte
	for _, r := range records {
		length := binary.LittleEndian.AppendUint64(nil, uint64(len(r)))
		out = append(out, length...)
		out = binary.LittleEndian.AppendUint32(out, tensorboard.MaskedCRC(length))
		out = append(out, r...)
		out = binary.LittleEndian.AppendUint32(out, tensorboard.MaskedCRC(r))
	}
	return out
}

// exampleOf is a tf.train.Example of bytes, and of a number for id.
func exampleOf(number int64, features map[string]string) []byte {
	message := func(out []byte, number protowire.Number, body []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(out, number, protowire.BytesType), body)
	}
	var all []byte
	for name, value := range features {
		feature := message(nil, 1, message(nil, 1, []byte(value)))
		all = message(all, 1, message(message(nil, 1, []byte(name)), 2, feature))
	}
	if number >= 0 {
		packed := protowire.AppendVarint(nil, uint64(number))
		all = message(all, 1, message(message(nil, 1, []byte("id")), 2, message(nil, 3, message(nil, 1, packed))))
	}
	return message(nil, 1, all)
}

func TestTFRecord(t *testing.T) {
	// CRC-32C of the digits, which every description of it has, rotated and added to as TensorFlow does.
	if got := tensorboard.MaskedCRC([]byte("123456789")); got != (0xe3069283>>15|0xe3069283<<17&0xffffffff)+0xa282ead8&0xffffffff {
		t.Errorf("%#x", got)
	}
	file := recorded(exampleOf(42, map[string]string{"image/encoded": "PIC"}), exampleOf(-1, map[string]string{"image/encoded": "PI2", "image/filename": "b.png"}),
		exampleOf(-1, map[string]string{"image/filename": "c.png", "image/source_id": "c"}), []byte{0xff}, exampleOf(-1, map[string]string{"x": "y"}))
	want := "42  PIC|b.png  PI2|c c.png |3 bad|4 bad"
	if got, err := told(t, file, TFRecord); got != want || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	w.Write(file)
	w.Close()
	if got, err := told(t, packed.Bytes(), TFRecord); got != want || err != nil {
		t.Errorf("gzip: %q, %v", got, err)
	}
	damaged := bytes.Clone(file)
	damaged[20] ^= 1
	if got, err := told(t, damaged, TFRecord); !strings.HasPrefix(got, "0 bad|b.png") || err != nil {
		t.Errorf("damaged: %q, %v", got, err)
	}
	for n := 1; n < len(recorded(exampleOf(42, map[string]string{"image/encoded": "PIC"}))); n++ {
		if _, err := told(t, file[:n], TFRecord); err == nil {
			t.Errorf("cut off after %d bytes: no error", n)
		}
	}
	file[0]++
	if _, err := told(t, file, TFRecord); err == nil || !strings.Contains(err.Error(), "no TFRecord file") {
		t.Errorf("%v", err)
	}
}

type picture struct {
	Bytes *string `parquet:"name=bytes, type=BYTE_ARRAY"`
	Path  *string `parquet:"name=path, type=BYTE_ARRAY, convertedtype=UTF8"`
}

type rowOf struct {
	ID    int64    `parquet:"name=image_id, type=INT64"`
	Image *picture `parquet:"name=image"`
}

// tableOf is a Parquet file as Hugging Face's image data sets are.
func tableOf(t testing.TB, rows int) []byte {
	var file bytes.Buffer
	w, err := writer.NewParquetWriterFromWriter(&file, new(rowOf), 1)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		content, path := fmt.Sprint("PIC", i), fmt.Sprint(i, ".png")
		row := rowOf{ID: int64(i), Image: &picture{Bytes: &content, Path: &path}}
		switch i % 3 {
		case 1:
			row.Image.Bytes = nil
		case 2:
			row.Image = nil
		}
		if err := w.Write(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.WriteStop(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func TestParquet(t *testing.T) {
	file := tableOf(t, 50)
	var want []string
	for i := range 50 {
		want = append(want, [...]string{fmt.Sprintf("%d  PIC%d", i, i), fmt.Sprintf("%d %d.png ", i, i), fmt.Sprintf("%d bad", i)}[i%3])
	}
	if got, err := told(t, file, Parquet); got != strings.Join(want, "|") || err != nil {
		t.Errorf("%s, %v", got, err)
	}
	fields := Fields{ID: []string{"image_id"}, Path: []string{"nothing"}}
	err := Read(bytes.NewReader(file), Parquet, fields, func(Record, error) bool { return true })
	if err == nil || !strings.Contains(err.Error(), "no column with paths (nothing)") {
		t.Errorf("%v", err)
	}
	for _, content := range [][]byte{nil, []byte("PAR1"), file[:len(file)/2], append([]byte("x"), file...)} {
		if _, err := told(t, content, Parquet); err == nil {
			t.Errorf("%d bytes: no error", len(content))
		}
	}
}

func FuzzTFRecord(f *testing.F) {
	f.Add(recorded(exampleOf(42, map[string]string{"image/encoded": "PIC"})))
	f.Add(recorded([]byte{0xff}, exampleOf(-1, map[string]string{"image/filename": "c.png", "image/source_id": "c"})))
	f.Fuzz(func(t *testing.T, content []byte) {
		told(t, content, TFRecord)
		example(content, DefaultFields())
	})
}

func FuzzJSONL(f *testing.F) {
	f.Add([]byte(`{"id": 7, "path": "a.png"}` + "\n" + `{"image_id": "x", "image": "UElD"}`))
	f.Fuzz(func(t *testing.T, content []byte) { told(t, content, JSONL) })
}
