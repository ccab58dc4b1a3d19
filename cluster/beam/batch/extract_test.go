package batch

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-lxmert/lxmert/cluster/beam/files"
	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/internal/filelock"
)

const poison = "this is no picture"

// One, two and four workers write the files of lxmert extract --shard, and what is no picture is a dead letter.
func TestExtract(t *testing.T) {
	pictures := filepath.Join(drawn(t, 20), "images")
	save(t, filepath.Join(pictures, "poison.png"), []byte(poison))
	o := extraction("", 6, 1, pictures)
	want := plain(t, o)
	for _, workers := range []int{1, 2, 4} {
		o := extraction(filepath.Join(t.TempDir(), "store"), 6, workers, pictures)
		metrics := mustExtract(t, o)
		same(t, "local", contents(t, o.Out), want)
		if got := sum(metrics, "items", "items done", "dead letters", "parts done", "parts that were whole already"); got != "21 20 1 6 0" {
			t.Errorf("%d workers: metrics %s", workers, got)
		}
		if m := metrics["milliseconds of a part"]; m.Count != 6 || m.Least < 1 || m.Mean() > float64(m.Most) {
			t.Errorf("%d workers: %+v", workers, m)
		}
		letters, err := os.ReadFile(DeadLettersPath(o.Out))
		var letter DeadLetter
		if err := errors.Join(err, json.Unmarshal(letters, &letter)); err != nil {
			t.Fatal(err)
		}
		if letter.ID != "poison" || !strings.HasSuffix(letter.Path, "poison.png") || !strings.Contains(letter.Error, "picture") {
			t.Errorf("dead letter %+v", letter)
		}
		left, _ := filepath.Glob(filepath.Join(o.Out, ".*beam*"))
		if left != nil {
			t.Errorf("left behind: %q", left)
		}
	}
	inMemory(t, pictures, "memfs://pictures")
	o = extraction("memfs://stores/a", 6, 2, "memfs://pictures/*")
	mustExtract(t, o)
	got := contents(t, o.Out)
	same(t, "in memory", got, want)
}

// A part that is whole is left alone; one whose pictures changed is made again, and no other.
func TestExtractAgain(t *testing.T) {
	dir := filepath.Join(drawn(t, 12), "images")
	pictures, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	save(t, filepath.Join(dir, "poison.png"), []byte(poison))
	out := filepath.Join(t.TempDir(), "store")
	again := func() map[string]Metric { return mustExtract(t, extraction(out, 4, 2, dir)) }
	again()
	first := contents(t, out)
	changed := func() time.Time {
		info, err := os.Stat(filepath.Join(out, "regions-00000-of-00004-00001.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		return info.ModTime()
	}
	before := changed()
	if got := sum(again(), "parts done", "parts that were whole already", "items done", "dead letters"); got != "0 4 12 1" {
		t.Errorf("the second time: %s", got)
	}
	if !changed().Equal(before) {
		t.Error("a file of a whole part has been written again")
	}
	same(t, "the second time", contents(t, out), first)

	// What a killed job leaves: a part without its receipt, one that is half made, one of whose files is missing.
	for _, name := range []string{"part-00001-of-00004.json"} {
		if err := os.Remove(filepath.Join(out+".beam", name)); err != nil {
			t.Fatal(err)
		}
	}
	os.Remove(filepath.Join(out, "regions-00002-of-00004-00001.index"))
	if err := os.MkdirAll(filepath.Join(out, ".lxmert-beam-part-00001-of-00004"), 0o755); err != nil {
		t.Fatal(err)
	}
	save(t, filepath.Join(out, ".lxmert-beam-part-00001-of-00004", "regions-00001-of-00004-00001.journal"), []byte("half a line"))
	if got := sum(again(), "parts done", "parts that were whole already"); got != "2 2" {
		t.Errorf("after a kill: %s", got)
	}
	same(t, "after a kill", contents(t, out), first)

	// A picture more, and one that has become good.
	content, err := os.ReadFile(pictures[0])
	if err != nil {
		t.Fatal(err)
	}
	save(t, filepath.Join(dir, "poison.png"), content)
	metrics := again()
	if got := sum(metrics, "parts done", "parts that were whole already", "items done", "dead letters"); got != "1 3 13 0" {
		t.Errorf("with another picture: %s", got)
	}
	if _, err := os.Stat(DeadLettersPath(out)); err == nil {
		t.Error("dead letters of an earlier run are there")
	}
	same(t, "with another picture", contents(t, out), plain(t, extraction(out, 4, 1, dir)))

	// A picture less: shards that are not needed go.
	for _, path := range pictures[1:] {
		os.Remove(path)
	}
	again()
	same(t, "with fewer pictures", contents(t, out), plain(t, extraction(out, 4, 1, dir)))
}

// Two that make the same part, as runners let them, do not disturb each other.
func TestExtractTwice(t *testing.T) {
	o := extraction(filepath.Join(t.TempDir(), "store"), 2, 1, filepath.Join(drawn(t, 8), "images"))
	mustExtract(t, o)
	want := contents(t, o.Out)
	lock, err := filelock.Acquire(filepath.Join(o.Out, ".lxmert-beam-part-00000-of-00002.lock")) // of one who is still at work
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	if err := os.Remove(receiptPath(o.Out, data.Part{Index: 0, Of: 2})); err != nil {
		t.Fatal(err)
	}
	o.Job = "twice"
	mustExtract(t, o)
	same(t, "twice", contents(t, o.Out), want)
}

// Wherever pictures are listed, the store is the same.
func TestExtractLists(t *testing.T) {
	dir := filepath.Join(drawn(t, 9), "images")
	want := plain(t, extraction("", 3, 1, dir))
	paths, _ := filepath.Glob(filepath.Join(dir, "*"))
	var lines, objects []string
	for i, path := range paths {
		lines = append(lines, path)
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		object := map[string]any{"id": strings.TrimSuffix(filepath.Base(path), ".png"), "path": path}
		if i%2 == 0 {
			delete(object, "path")
			object["image"] = base64.StdEncoding.EncodeToString(content)
		}
		text, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, string(text))
	}
	lists := t.TempDir()
	save(t, filepath.Join(lists, "a.txt"), []byte(strings.Join(lines[:4], "\r\n")))
	save(t, filepath.Join(lists, "b.txt"), []byte(strings.Join(append(lines[4:], lines[0], "/not/there.png"), "\n")+"\n"))
	save(t, filepath.Join(lists, "c.jsonl"), []byte(strings.Join(append(objects, `{"id": "x"}`, "nonsense"), "\n")))
	for _, c := range []struct {
		list string
		bad  map[string]string
	}{
		{"*.txt", map[string]string{"not/there": "", strings.TrimSuffix(filepath.Base(lines[0]), ".png"): "as that of a picture before it", "there": "no such file"}},
		{"c.jsonl", map[string]string{"": "record"}},
	} {
		o := extraction(filepath.Join(t.TempDir(), "store"), 3, 2)
		o.Sources.Lists = []string{filepath.Join(lists, c.list)}
		metrics := mustExtract(t, o)
		if got := sum(metrics, "items done", "dead letters"); got != "9 2" {
			t.Errorf("%s: %s", c.list, got)
		}
		same(t, c.list, contents(t, o.Out), want)
		letters, err := os.ReadFile(DeadLettersPath(o.Out))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(letters)) {
			var letter DeadLetter
			err := json.Unmarshal([]byte(line), &letter)
			if want, known := c.bad[letter.ID]; err != nil || !known || !strings.Contains(letter.Error, want) {
				t.Errorf("%s: %v, %+v", c.list, err, letter)
			}
		}
	}
}

// What is not about one picture is said before the job begins, or ends it.
func TestExtractFails(t *testing.T) {
	pictures := filepath.Join(drawn(t, 3), "images")
	file := filepath.Join(t.TempDir(), "file")
	save(t, file, nil)
	whole := filepath.Join(t.TempDir(), "whole")
	w, err := data.WriteStore(whole, data.StoreOptions{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := scenesRegions(pictures)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Add("x", r), w.Close()); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "store")
	mustExtract(t, extraction(out, 2, 1, pictures))
	for what, c := range map[string]struct {
		change func(*ExtractOptions)
		want   string
	}{
		"an output that is a file":     {func(o *ExtractOptions) { o.Out = file }, "not a directory"},
		"an output that is no place":   {func(o *ExtractOptions) { o.Out = filepath.Join(file, "x") }, "not a directory"},
		"an undivided store":           {func(o *ExtractOptions) { o.Out = whole }, "not divided"},
		"another division":             {func(o *ExtractOptions) { o.Out, o.Parts = out, 3 }, "found a store of 2 parts, want 3"},
		"another detector":             {func(o *ExtractOptions) { o.Out, o.Detector.Name = out, "grid" }, `preset "scenes", want "grid-6x6x4"`},
		"another type":                 {func(o *ExtractOptions) { o.Out, o.Float32 = out, true }, "features of type F16"},
		"no detector":                  {func(o *ExtractOptions) { o.Detector.Name = "nowhere" }, "the detector: "},
		"a detector without weights":   {func(o *ExtractOptions) { o.Detector.Name = t.TempDir() }, ""},
		"no pictures":                  {func(o *ExtractOptions) { o.Sources.Pictures = nil }, "no pictures are given"},
		"pictures that are not there":  {func(o *ExtractOptions) { o.Sources.Pictures[0] += "/nothing" }, "no such file"},
		"a list that is not there":     {func(o *ExtractOptions) { o.Sources.Lists = []string{"/nothing.txt"} }, "found no list"},
		"a list that is cut off":       {func(o *ExtractOptions) { o.Sources.Lists = []string{cutOff(t)} }, "cut off"},
		"an archive":                   {func(o *ExtractOptions) { o.Sources.Pictures[0] = "x.tar" }, "archives can only be read by one worker"},
		"an unknown scheme":            {func(o *ExtractOptions) { o.Out = "ftp://x/y" }, `found scheme "ftp"`},
		"no parts":                     {func(o *ExtractOptions) { o.Parts = 0 }, "parts: found 0"},
		"no workers":                   {func(o *ExtractOptions) { o.Workers = 0 }, "workers: found 0"},
		"nothing in the object store":  {func(o *ExtractOptions) { o.Sources.Pictures[0] = "memfs://empty/*" }, "found no pictures that match"},
		"options of another's network": {func(o *ExtractOptions) { o.Detector.DType = "int8" }, "a Faster R-CNN's"},
	} {
		o := extraction(filepath.Join(t.TempDir(), "store"), 2, 1, pictures)
		c.change(&o)
		if _, err := extracted(t, o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", what, err, c.want)
		}
	}
	// A store that cannot be written any more, while the job is at work.
	o := extraction(filepath.Join(t.TempDir(), "store"), 2, 1, pictures)
	o.Scratch = filepath.Join(file, "x")
	_, err = extracted(t, o)
	says(t, err, "not a directory")
	if _, err := os.Stat(files.Join(o.Out, data.ManifestName)); err == nil {
		t.Error("a job that failed has left a manifest")
	}
}
