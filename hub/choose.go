package hub

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/go-lxmert/lxmert/internal/plainfile"
)

const (
	configName   = "config.json"
	detectorName = "config.yaml" // a detector has this in its place
	maxSmall     = 64 << 20      // bytes of a file that is no weights: a vocabulary of some hundred thousand words
	maxIndex     = 16 << 20
	maxShards    = 1000
)

// smallFiles are what a model directory may have besides its weights: all that package tokenizer reads, the answers, and what it has learned from.
var smallFiles = []string{
	configName, "tokenizer.json", "vocab.txt", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "labels.json", "trained.json",
}

// detectorFiles are what a detector's directory may have.
var detectorFiles = []string{detectorName, "objects_vocab.txt", "attributes_vocab.txt", "objects.txt", "attributes.txt"}

// small are the files besides weights that may be of use, where there are those of which has is true.
func small(has func(name string) bool) []string {
	if has(detectorName) {
		return append(slices.Clone(smallFiles), detectorFiles...)
	}
	return slices.Clone(smallFiles)
}

// weightFiles are the forms of weights, the best first: an index stands for the shards that it names.
var weightFiles = []string{
	"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json", "tf_model.h5",
}

func isIndex(name string) bool { return strings.HasSuffix(name, ".index.json") }

// chosenWeights is which of the forms is taken of a commit that has these files.
func chosenWeights(files map[string]bool) (string, error) {
	for _, name := range weightFiles {
		if files[name] {
			return name, nil
		}
	}
	return "", fmt.Errorf("%w: found no weights, none of %s", ErrNotFound, strings.Join(weightFiles, ", "))
}

// shards are the files that an index names.
func shards(file string) ([]string, error) {
	content, err := plainfile.Read(file, maxIndex)
	if err != nil {
		return nil, err
	}
	var index struct {
		Files map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(content, &index); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	names := slices.Compact(slices.Sorted(maps.Values(index.Files)))
	if len(names) == 0 || len(names) > maxShards {
		return nil, fmt.Errorf("%s: names %d files, want 1 to %d", file, len(names), maxShards)
	}
	for _, name := range names {
		if err := safePath(name); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if path.Ext(name) == ".json" || strings.HasPrefix(path.Base(name), ".") {
			return nil, fmt.Errorf("%s: %w: %q is no file of weights", file, ErrRefused, cut(name))
		}
	}
	return names, nil
}

// lacking are the files that a model needs and the cache lacks at a commit, and those of what the model has that are there.
func (p *pull) lacking(commit string) (missing, there []string) {
	for _, name := range small(func(name string) bool { return p.cache.has(commit, name) }) {
		if p.cache.has(commit, name) {
			there = append(there, name)
		}
	}
	detector := slices.Contains(there, detectorName)
	if !detector && !slices.Contains(there, configName) {
		missing = append(missing, configName)
	}
	words := []string{"tokenizer.json", "vocab.txt"}
	if !detector && !slices.ContainsFunc(words, func(name string) bool { return p.cache.has(commit, name) }) &&
		slices.ContainsFunc(words, func(name string) bool { return !p.cache.lacks(commit, name) }) {
		missing = append(missing, strings.Join(words, " or "))
	}
	if p.client.withoutWeights {
		return missing, there
	}
	var short []string // what is missing of a set that was begun
	for _, name := range weightFiles {
		if !p.cache.has(commit, name) {
			continue
		}
		set, absent := []string{name}, []string(nil)
		if isIndex(name) {
			parts, err := shards(p.cache.file(commit, name))
			if err != nil {
				short = append(short, err.Error())
				continue
			}
			for _, part := range parts {
				if !p.cache.has(commit, part) {
					absent = append(absent, part)
				}
			}
			set = append(set, parts...)
		}
		if absent == nil {
			return missing, append(there, set...)
		}
		short = append(short, absent...)
	}
	if short == nil {
		short = []string{"weights (" + strings.Join(weightFiles, ", ") + ")"}
	}
	return append(missing, short...), there
}
