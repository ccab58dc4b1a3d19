package hub

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestCacheRoot goes from what counts least to what counts most.
func TestCacheRoot(t *testing.T) {
	quietEnvironment(t)
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	t.Setenv("PLACE", filepath.Join(home, "place"))
	check := func(given, want string) {
		t.Helper()
		if got, err := cacheRoot(given); err != nil || got != want {
			t.Errorf("found %s, %v; want %s", got, err, want)
		}
	}
	check("", filepath.Join(home, ".cache", "huggingface", "hub"))
	t.Setenv("XDG_CACHE_HOME", filepath.Join(home, "xdg"))
	check("", filepath.Join(home, "xdg", "huggingface", "hub"))
	t.Setenv("HF_HOME", "~/hf")
	check("", filepath.Join(home, "hf", "hub"))
	t.Setenv("HUGGINGFACE_HUB_CACHE", filepath.Join(home, "old"))
	check("", filepath.Join(home, "old"))
	t.Setenv("HF_HUB_CACHE", "$PLACE/hub")
	check("", filepath.Join(home, "place", "hub"))
	check(filepath.Join(home, "given"), filepath.Join(home, "given"))
}

// TestWhichToken goes from what counts least to what counts most.
func TestWhichToken(t *testing.T) {
	quietEnvironment(t)
	home := t.TempDir()
	t.Setenv("HF_HOME", home)
	t.Setenv("HF_TOKEN_PATH", "")
	check := func(o Options, want string) {
		t.Helper()
		if got, err := token(o); err != nil || got != want {
			t.Errorf("found %q, %v; want %q", got, err, want)
		}
	}
	check(Options{}, "")
	write(t, filepath.Join(home, "token"), "home\n")
	check(Options{}, "home")
	write(t, filepath.Join(home, "elsewhere"), " path\r\n")
	t.Setenv("HF_TOKEN_PATH", filepath.Join(home, "elsewhere"))
	check(Options{}, "path")
	t.Setenv("HUGGING_FACE_HUB_TOKEN", "old")
	check(Options{}, "old")
	t.Setenv("HF_TOKEN", "new")
	check(Options{}, "new")
	t.Setenv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")
	check(Options{}, "")
	check(Options{TokenFile: filepath.Join(home, "token")}, "home")
	check(Options{TokenFile: filepath.Join(home, "token"), Token: "given"}, "given")
	_, err := token(Options{TokenFile: filepath.Join(home, "none")})
	wantError(t, err, os.ErrNotExist, "none")
	_, err = token(Options{Token: "two words"})
	wantError(t, err, nil, "the token given")
}

func TestSettings(t *testing.T) {
	quietEnvironment(t)
	s, err := settle(Options{})
	if err != nil || s.endpoint.String() != "https://huggingface.co" || s.labelsEndpoint.String() != "https://raw.githubusercontent.com" ||
		s.headTimeout != 10*time.Second || s.stallTimeout != 10*time.Second || s.offline != "" {
		t.Errorf("found %+v, %v", s, err)
	}
	t.Setenv("HF_ENDPOINT", "https://mirror.example/hf/")
	t.Setenv("HF_HUB_DOWNLOAD_TIMEOUT", "30")
	t.Setenv("TRANSFORMERS_OFFLINE", "1")
	t.Setenv("HF_HUB_OFFLINE", "0") // counts more
	if s, err = settle(Options{}); err != nil || s.stallTimeout != 30*time.Second || s.offline != "" {
		t.Errorf("found %+v, %v", s, err)
	}
	if got := newClient(s).at("a/b", "resolve", "refs/pr/1", "x y.txt").String(); got != "https://mirror.example/hf/a/b/resolve/refs%2Fpr%2F1/x%20y.txt" {
		t.Errorf("found %s", got)
	}
	for name, value := range map[string]string{"HF_ENDPOINT": "mirror.example", "HF_HUB_ETAG_TIMEOUT": "soon", "HF_HUB_DOWNLOAD_TIMEOUT": "-1", "LXMERT_LABELS_ENDPOINT": "ftp://x"} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(name, value)
			_, err := settle(Options{})
			wantError(t, err, nil, name, value)
		})
	}
}
