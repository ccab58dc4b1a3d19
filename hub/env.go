package hub

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-lxmert/lxmert/internal/plainfile"
)

// settings are the options, filled in from the environment as huggingface_hub does.
type settings struct {
	cache          string
	endpoint       *url.URL
	token          string
	offline        string // why; empty: not
	withoutWeights bool
	noSymlinks     bool
	labelsEndpoint *url.URL
	headTimeout    time.Duration // for an answer without a body, or a small one
	stallTimeout   time.Duration // in which some of a file must come
	pause          time.Duration
	transport      http.RoundTripper
	progress       func(Progress)
	note           func(string)
}

const (
	defaultEndpoint = "https://huggingface.co"
	defaultTimeout  = 10 * time.Second
)

func settle(o Options) (*settings, error) {
	s := &settings{
		withoutWeights: o.WithoutWeights, noSymlinks: isOn("HF_HUB_DISABLE_SYMLINKS"), pause: cmp.Or(o.pause, time.Second),
		transport: o.Transport, progress: o.Progress, note: oneAtATime(o.Note),
	}
	var err error
	if s.cache, err = cacheRoot(o.Cache); err != nil {
		return nil, err
	}
	if s.endpoint, err = address(cmp.Or(o.Endpoint, os.Getenv("HF_ENDPOINT"), defaultEndpoint)); err != nil {
		return nil, fmt.Errorf("the hub's address (HF_ENDPOINT): %w", err)
	}
	if s.labelsEndpoint, err = address(cmp.Or(o.LabelsEndpoint, os.Getenv("LXMERT_LABELS_ENDPOINT"), defaultLabelsEndpoint)); err != nil {
		return nil, fmt.Errorf("the answer tables' address (LXMERT_LABELS_ENDPOINT): %w", err)
	}
	if s.headTimeout, err = seconds("HF_HUB_ETAG_TIMEOUT"); err != nil {
		return nil, err
	}
	if s.stallTimeout, err = seconds("HF_HUB_DOWNLOAD_TIMEOUT"); err != nil {
		return nil, err
	}
	switch {
	case o.Offline:
		s.offline = "offline was asked for"
	case isOn("HF_HUB_OFFLINE"):
		s.offline = "HF_HUB_OFFLINE is on"
	case os.Getenv("HF_HUB_OFFLINE") == "" && isOn("TRANSFORMERS_OFFLINE"):
		s.offline = "TRANSFORMERS_OFFLINE is on"
	}
	if s.offline == "" {
		s.token, err = token(o)
	}
	return s, err
}

// oneAtATime lets several goroutines call f; nil may be called, too.
func oneAtATime(f func(string)) func(string) {
	if f == nil {
		return func(string) {}
	}
	var mu sync.Mutex
	return func(text string) {
		mu.Lock()
		defer mu.Unlock()
		f(text)
	}
}

// cacheRoot is the directory that has a directory for each model.
func cacheRoot(given string) (string, error) {
	for _, dir := range []string{given, os.Getenv("HF_HUB_CACHE"), os.Getenv("HUGGINGFACE_HUB_CACHE")} {
		if dir != "" {
			return filepath.Abs(expanded(dir))
		}
	}
	home, err := huggingFaceHome()
	if err != nil {
		return "", err
	}
	return filepath.Abs(filepath.Join(home, "hub"))
}

// huggingFaceHome has the cache and the token. It is ~/.cache/huggingface on every system, as in Python.
func huggingFaceHome() (string, error) {
	if dir := os.Getenv("HF_HOME"); dir != "" {
		return expanded(dir), nil
	}
	if dir := os.Getenv("XDG_CACHE_HOME"); dir != "" {
		return filepath.Join(expanded(dir), "huggingface"), nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no directory for the cache: %w; set HF_HOME", err)
	}
	return filepath.Join(home, ".cache", "huggingface"), nil
}

// expanded replaces ~ and $NAME, as Python does in these variables.
func expanded(path string) string {
	if rest, ok := strings.CutPrefix(path, "~"); ok && (rest == "" || os.IsPathSeparator(rest[0])) {
		if home, err := os.UserHomeDir(); err == nil {
			path = home + rest
		}
	}
	return os.ExpandEnv(path)
}

// token is what proves who is asking, empty for nobody in particular.
func token(o Options) (string, error) {
	if o.Token != "" {
		return cleanToken(o.Token, "the token given")
	}
	if o.TokenFile != "" {
		return tokenIn(o.TokenFile)
	}
	if isOn("HF_HUB_DISABLE_IMPLICIT_TOKEN") {
		return "", nil
	}
	for _, name := range []string{"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"} {
		if value := strings.TrimSpace(os.Getenv(name)); value != "" {
			return cleanToken(value, name)
		}
	}
	path := expanded(os.Getenv("HF_TOKEN_PATH"))
	if path == "" {
		home, err := huggingFaceHome()
		if err != nil {
			return "", nil // then the cache was given, and there is nowhere to look
		}
		path = filepath.Join(home, "token")
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return tokenIn(path)
}

func tokenIn(path string) (string, error) {
	content, err := plainfile.Read(path, 1<<16)
	if err != nil {
		return "", fmt.Errorf("the token: %w", err)
	}
	return cleanToken(string(content), path)
}

// cleanToken refuses what cannot go into a header, without repeating it.
func cleanToken(token, source string) (string, error) {
	token = strings.TrimSpace(token)
	for _, c := range []byte(token) {
		if c <= ' ' || c >= 0x7f {
			return "", fmt.Errorf("%s: no token: found blanks or letters beyond ASCII in it", source)
		}
	}
	return token, nil
}

// address checks an endpoint.
func address(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimRight(text, "/"))
	if err != nil {
		return nil, err
	}
	if (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return nil, fmt.Errorf("found %q, want https://HOST or https://HOST/PATH", u.Redacted())
	}
	return u, nil
}

// isOn reads a switch as Python does.
func isOn(name string) bool {
	switch strings.ToUpper(os.Getenv(name)) {
	case "1", "ON", "YES", "TRUE":
		return true
	}
	return false
}

func seconds(name string) (time.Duration, error) {
	text := os.Getenv(name)
	if text == "" {
		return defaultTimeout, nil
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || !(value >= 0 && value < 1e6) {
		return 0, fmt.Errorf("%s: found %q, want a number of seconds", name, text)
	}
	if value == 0 {
		return defaultTimeout, nil
	}
	return time.Duration(value * float64(time.Second)), nil
}
