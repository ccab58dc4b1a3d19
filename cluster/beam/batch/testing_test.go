package batch

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem/local"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/io/filesystem/memfs"
	beamlog "github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/prism"

	"github.com/go-lxmert/lxmert/cluster/beam/files"
	"github.com/go-lxmert/lxmert/cluster/beam/source"
	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/data/extract"
	"github.com/go-lxmert/lxmert/scenes"
	"github.com/go-lxmert/lxmert/vision"
)

func TestMain(m *testing.M) {
	flag.Parse()
	beam.Init()
	slog.SetDefault(slog.New(slog.DiscardHandler)) // after Init, which sets it, too
	beamlog.SetLogger(&beamlog.Standard{Level: beamlog.SevFatal})
	os.Exit(m.Run())
}

// drawn makes pictures of the drawn world, and what is asked about them.
func drawn(t *testing.T, n int) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "drawn")
	if _, err := scenes.Generate(t.Context(), dir, scenes.Options{Images: n, Seed: 3}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// run runs a pipeline on embedded Prism. The error is our own, if there is one.
func run(t *testing.T, job string, build func(beam.Scope)) (map[string]Metric, error) {
	t.Helper()
	p, s := beam.NewPipelineWithRoot()
	build(s)
	result, err := beam.Run(context.Background(), "prism", p)
	if own := Failure(job); own != nil {
		return nil, own
	}
	if err != nil {
		return nil, err
	}
	metrics := map[string]Metric{}
	for _, m := range Metrics(result) {
		metrics[m.Name] = m
	}
	return metrics, nil
}

func extraction(out string, parts, workers int, pictures ...string) ExtractOptions {
	return ExtractOptions{
		Job: rand.Text(), Sources: Sources{Pictures: pictures, Fields: source.DefaultFields()}, Out: out, Parts: parts, Workers: workers,
		Detector: Detector{Name: scenes.Preset}, ShardBytes: 8 << 10,
	}
}

// extracted checks and runs, as the command does.
func extracted(t *testing.T, o ExtractOptions) (map[string]Metric, error) {
	t.Helper()
	if err := o.Check(t.Context()); err != nil {
		return nil, err
	}
	return run(t, o.Job, func(s beam.Scope) { Extract(s, o) })
}

func mustExtract(t *testing.T, o ExtractOptions) map[string]Metric {
	t.Helper()
	m, err := extracted(t, o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// contents are the files of a directory, also in memory, without those that begin with a dot.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	found, err := files.In(t.Context(), dir, "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range found {
		name := files.Base(path)
		if name[0] == '.' {
			continue
		}
		content, err := files.Read(t.Context(), path, 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = string(content)
	}
	return all
}

func same(t *testing.T, what string, got, want map[string]string) {
	t.Helper()
	for name := range want {
		if _, ok := got[name]; !ok {
			t.Errorf("%s: %s is missing", what, name)
		} else if got[name] != want[name] {
			t.Errorf("%s: %s differs: %d bytes, want %d", what, name, len(got[name]), len(want[name]))
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("%s: %s is too much", what, name)
		}
	}
}

// plain makes the store as lxmert extract --shard does, of pictures in the order of their ids.
func plain(t *testing.T, o ExtractOptions) map[string]string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "plain")
	for i := range o.Parts {
		part := data.Part{Index: i, Of: o.Parts}
		w, err := data.WritePart(dir, part, data.StoreOptions{Preset: o.Detector.Name, Float32: o.Float32, ShardBytes: o.ShardBytes})
		if err != nil {
			t.Fatal(err)
		}
		pictures, err := extract.Find(o.Sources.Pictures, extract.FindOptions{Part: part})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := extract.Run(t.Context(), pictures, scenes.Detector{}, w, extract.Options{}); err != nil {
			t.Fatal(err)
		}
		pictures.Close()
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := data.Assemble(dir); err != nil {
		t.Fatal(err)
	}
	return contents(t, dir)
}

// inMemory puts a directory's files onto memfs.
func inMemory(t *testing.T, dir, to string) {
	t.Helper()
	for name, content := range contents(t, dir) {
		memfs.Write(files.Join(to, name), []byte(content))
	}
}

func says(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q", err, want)
	}
}

func save(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func sum(m map[string]Metric, names ...string) string {
	var all []string
	for _, name := range names {
		all = append(all, fmt.Sprint(m[name].Sum))
	}
	return strings.Join(all, " ")
}

// scenesRegions are those of some picture.
func scenesRegions(dir string) (vision.Regions, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.png"))
	if err != nil {
		return vision.Regions{}, err
	}
	img, err := vision.DecodeFile(paths[0])
	if err != nil {
		return vision.Regions{}, err
	}
	return scenes.Detector{}.Extract(context.Background(), img)
}

// cutOff is a TFRecord file that is.
func cutOff(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "x.tfrecord")
	save(t, path, []byte("1234567"))
	return path
}
