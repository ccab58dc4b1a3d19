package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"time"

	"github.com/go-lxmert/lxmert/data"
	"github.com/go-lxmert/lxmert/internal/plainfile"
	"github.com/go-lxmert/lxmert/model"
	"github.com/go-lxmert/lxmert/pretrained"
	"github.com/go-lxmert/lxmert/vision"
	"github.com/go-lxmert/lxmert/vision/extractors"
	"github.com/go-lxmert/lxmert/vision/frcnn"
)

// read decodes the picture, and gives its file's content.
func (v *view) read(path string) ([]byte, image.Image, error) {
	start := time.Now()
	content, err := plainfile.Read(path, vision.MaxFileBytes)
	if err != nil {
		return nil, nil, err
	}
	img, err := vision.Decode(bytes.NewReader(content))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	v.stage("decode", start)
	return content, img, nil
}

// stage notes how long a part took.
func (v *view) stage(name string, start time.Time) {
	v.stages = append(v.stages, stageRecord{name, milliseconds(start)})
}

// extract finds the regions; of a Faster R-CNN it is known how long each part takes.
func (v *view) extract(ctx context.Context, extractor vision.Extractor, img image.Image) (err error) {
	start := time.Now()
	if d, ok := extractor.(*frcnn.Detector); ok {
		var timings []frcnn.Timing
		v.regions, timings, err = d.ExtractTimed(ctx, img)
		for _, t := range timings {
			v.stages = append(v.stages, stageRecord{t.Stage, float64(t.Took.Microseconds()) / 1000})
		}
		return err
	}
	v.regions, err = extractor.Extract(ctx, img)
	v.stage("find regions", start)
	return err
}

// note warns if the model was trained with another detector's regions.
func (v *view) note(config *model.Config, path string) {
	if note := presetNote(config, path, v.regions.Preset); note != "" {
		v.notes = append(v.notes, note)
	}
}

// kept is where the regions of a picture with that content are kept: a region store in --cache, by the hash of the content and of what the detector is, as far as
// files' names, sizes and dates tell. "" without --cache, and for detectors that take no longer than reading would.
func (f *lookFlags) kept(content []byte) (string, error) {
	if _, err := extractors.ByPreset(f.detector.name); err == nil || f.cache == "" {
		return "", nil
	}
	hash := sha256.New()
	hash.Write(content)
	fmt.Fprintf(hash, "\x00%s\x00%+v\x00%s", f.detector.name, f.detector.options, f.detector.dtype.or(model.Float32))
	entries, err := os.ReadDir(pretrained.Directory(f.detector.name))
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil {
			fmt.Fprintf(hash, "\x00%s %d %d", e.Name(), info.Size(), info.ModTime().UnixNano())
		}
	}
	return filepath.Join(f.cache, hex.EncodeToString(hash.Sum(nil)[:16])), nil
}

// cachedID is the id of the only picture in a store of the cache.
const cachedID = "picture"

// keptAt reads regions from the cache; false if they are not there, or not whole.
func (v *view) keptAt(key string) bool {
	start := time.Now()
	store, err := data.OpenStore(key)
	if err != nil {
		return false
	}
	defer store.Close()
	v.regions, err = store.Get(cachedID)
	if err != nil {
		return false
	}
	v.cached = true
	v.stage("read from the cache", start)
	return true
}

// keep writes regions to the cache. Of two programs that do so at once the first wins.
func keep(key string, r vision.Regions) error {
	w, err := data.WriteStore(key, data.StoreOptions{Preset: r.Preset, Float32: true})
	if err != nil {
		return fmt.Errorf("--cache: %w", err)
	}
	defer w.Abandon()
	if w.Has(cachedID) {
		return nil
	}
	if err := w.Add(cachedID, r); err != nil {
		return fmt.Errorf("--cache: %w", err)
	}
	return w.Close()
}
