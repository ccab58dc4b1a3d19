package hub

import (
	"path/filepath"
	"strings"
	"testing"
)

// FuzzShards: whatever an index says, the names that come out of it stay in the model's directory.
func FuzzShards(f *testing.F) {
	for _, seed := range []string{`{"weight_map": {"a": "model-1.safetensors"}}`, `{"weight_map": {"a": "../x"}}`, `{"weight_map": {"a": "x/../../y"}}`, `{}`, `[1]`, ``} {
		f.Add([]byte(seed))
	}
	path := filepath.Join(f.TempDir(), "index.json")
	f.Fuzz(func(t *testing.T, content []byte) {
		write(t, path, string(content))
		names, err := shards(path)
		if err != nil {
			return
		}
		for _, name := range names {
			if !filepath.IsLocal(filepath.FromSlash(name)) || strings.Contains(name, `\`) || strings.HasSuffix(name, ".json") {
				t.Errorf("%q names %q", content, name)
			}
		}
	})
}
