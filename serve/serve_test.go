package serve

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"image/png"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-lxmert/lxmert/scenes"
	"github.com/go-lxmert/lxmert/serve/guard"
	"github.com/go-lxmert/lxmert/serve/service"
	"github.com/go-lxmert/lxmert/serve/telemetry"
)

// question is a body for /v1/answers about a drawn scene.
func question(t testing.TB, seed uint64, text string) string {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, scenes.New(seed).Draw()); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(map[string]string{"image": base64.StdEncoding.EncodeToString(b.Bytes()), "question": text})
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// running is a server that a test runs.
type running struct {
	Listening
	end   func() error // ends it as a signal would, and waits
	ended chan error
}

func start(t *testing.T, c Config) *running {
	t.Helper()
	c.Addr = "127.0.0.1:0"
	ctx, cancel := context.WithCancel(t.Context())
	ready := make(chan Listening, 1)
	c.Ready = func(l Listening) { ready <- l }
	r := &running{ended: make(chan error, 1)}
	go func() { r.ended <- Run(ctx, c) }()
	select {
	case r.Listening = <-ready:
	case err := <-r.ended:
		t.Fatal(err)
	}
	r.end = sync.OnceValue(func() error { cancel(); return <-r.ended })
	t.Cleanup(func() {
		if err := r.end(); err != nil {
			t.Error(err)
		}
	})
	return r
}

func post(url, body string) (int, string, error) {
	answer, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, string(text), err
}

// TestEndsWithoutLoss ends a server under load: every request that it took is answered, and those that come later are refused as they should be.
func TestEndsWithoutLoss(t *testing.T) {
	r := start(t, Config{})
	url := "http://" + r.HTTP + "/v1/answers"
	body := question(t, 6, "how many hats are there?")
	var answered, refused atomic.Int64
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for {
				code, text, err := post(url, body)
				switch {
				case err != nil && answered.Load() == 0:
					t.Error(err)
					return
				case err != nil: // the socket is closed
					var cut *net.OpError
					if !errors.As(err, &cut) || cut.Op != "dial" && !strings.Contains(err.Error(), "EOF") && !strings.Contains(err.Error(), "reset") {
						t.Error("not a closed socket:", err)
					}
					if errors.Is(err, io.ErrUnexpectedEOF) {
						t.Error("an answer was cut off:", err)
					}
					return
				case code == http.StatusServiceUnavailable:
					refused.Add(1)
				case code == http.StatusOK && strings.Contains(text, `"answer":"2"`):
					answered.Add(1)
				default:
					t.Errorf("found %d %s", code, text)
				}
			}
		})
	}
	for answered.Load() < 50 {
		time.Sleep(5 * time.Millisecond)
	}
	if err := r.end(); err != nil {
		t.Error(err)
	}
	group.Wait()
	t.Logf("%d answered, %d refused", answered.Load(), refused.Load())
}

// TestNotReady says no to who asks whether it is ready, once it is to end, while it answers what it has.
func TestNotReady(t *testing.T) {
	s, err := service.New(t.Context(), service.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	drain := new(guard.Drain)
	h := Handler(s, Options{Drain: drain})
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w
	}
	if w := get("/v2/health/ready"); w.Code != http.StatusOK {
		t.Errorf("found %d %s", w.Code, w.Body)
	}
	drain.Begin()
	if w := get("/v2/health/ready"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("draining: found ready %d %s", w.Code, w.Body)
	}
	if w := get("/v2/health/live"); w.Code != http.StatusOK {
		t.Errorf("draining: found live %d %s", w.Code, w.Body)
	}
	if w := get("/v1/models"); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("draining: found %d %v", w.Code, w.Header())
	}
}

// TestHandler has every protocol behind one handler, with errors in its own form.
func TestHandler(t *testing.T) {
	s, err := service.New(t.Context(), service.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	tokens, err := guard.NewTokens("0123456789abcdef")
	if err != nil {
		t.Fatal(err)
	}
	metrics := telemetry.New("test")
	h := Handler(s, Options{Tokens: tokens, Metrics: metrics, MaxBody: 1 << 20})
	for _, c := range []struct {
		method, path, token, body string
		code                      int
		words                     string
	}{
		{"GET", "/", "", "", 200, "<html"},
		{"GET", "/docs", "", "", 200, "<html"},
		{"GET", "/openapi.json", "", "", 200, `"openapi"`},
		{"GET", "/v2/health/live", "", "", 200, ""},
		{"GET", "/metrics", "", "", 401, ""},
		{"GET", "/metrics", "0123456789abcdef", "", 200, "lxmert_"},
		{"POST", "/v1/answers", "", "{}", 401, `{"error":{"code":"`},
		{"POST", "/v1/answers", "wrong-wrong-wrong-wrong", "{}", 401, `{"error":{"code":"`},
		{"POST", "/v1/answers", "0123456789abcdef", "{}", 422, "question: missing"},
		{"POST", "/v1/answers", "0123456789abcdef", strings.Repeat(" ", 2<<20), 413, `{"error":{"code":"`},
		{"GET", "/v1/answers", "0123456789abcdef", "", 405, "wants POST"},
		{"POST", "/nowhere", "0123456789abcdef", "", 404, `{"error":{"code":"not_found"`},
		{"GET", "/v2/models/none", "0123456789abcdef", "", 404, `{"error":"`},
		{"POST", "/vqa", "0123456789abcdef", "{}", 422, `{"error":"`},
		{"GET", "/v1/models", "0123456789abcdef", "", 200, `"card"`},
		{"POST", "/v1/chat/completions", "0123456789abcdef", "{}", 400, `"type"`},
	} {
		r := httptest.NewRequest(c.method, c.path, strings.NewReader(c.body))
		if c.token != "" {
			r.Header.Set("Authorization", "Bearer "+c.token)
		}
		if c.method == "POST" {
			r.Header.Set("Content-Type", "application/json")
		}
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.words) {
			t.Errorf("%s %s: found %d %.200s, want %d with %q", c.method, c.path, w.Code, w.Body, c.code, c.words)
		}
		if w.Header().Get("X-Request-Id") == "" || w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s %s: found headers %v", c.method, c.path, w.Header())
		}
	}
}

// TestLoopbackNames keeps web pages from calling a server on their reader's own machine by a name of theirs.
func TestLoopbackNames(t *testing.T) {
	r := start(t, Config{})
	_, port, _ := net.SplitHostPort(r.HTTP)
	for host, want := range map[string]int{"127.0.0.1:" + port: 200, "localhost:" + port: 200, "evil.example.org:" + port: 421} {
		request, _ := http.NewRequest(http.MethodGet, "http://"+r.HTTP+"/openapi.json", nil)
		request.Host = host
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if answer.StatusCode != want {
			t.Errorf("%s: found %d, want %d", host, answer.StatusCode, want)
		}
	}
}

// TestTLS takes a new certificate without a restart.
func TestTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	pool := writeCertificate(t, cert, key)
	r := start(t, Config{TLSCert: cert, TLSKey: key, AdminAddr: "127.0.0.1:0"})
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	answer, err := client.Get("https://" + r.HTTP + "/v2/health/live")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.Header.Get("Strict-Transport-Security") == "" {
		t.Error("no Strict-Transport-Security over TLS")
	}
	if answer, err = http.Get("http://" + r.Admin + "/debug/pprof/cmdline"); err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("admin: found %v, %v", answer, err)
	}
	if answer, err = client.Get("https://" + r.HTTP + "/debug/pprof/"); err != nil || answer.StatusCode != http.StatusNotFound {
		t.Errorf("profiles are on the main address: %v, %v", answer, err)
	}
	if _, err := readCertificates(cert, ""); err == nil {
		t.Error("a certificate without its key is let in")
	}
	c, err := readCertificates(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := c.get(nil)
	writeCertificate(t, cert, key)
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(cert, later, later); err != nil {
		t.Fatal(err)
	}
	c.looked = time.Time{}
	if after, _ := c.get(nil); bytes.Equal(before.Certificate[0], after.Certificate[0]) {
		t.Error("the new certificate is not taken")
	}
	if err := os.WriteFile(key, []byte("broken"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.looked, c.changed = time.Time{}, time.Time{}
	if now, err := c.get(nil); now == nil || err != nil {
		t.Error("a broken key takes the certificate away:", err)
	}
}

func writeCertificate(t *testing.T, cert, key string) *x509.CertPool {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := errors.Join(os.WriteFile(cert, public, 0o600), os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret}), 0o600)); err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(public)
	return pool
}

func TestCannotBegin(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for name, c := range map[string]Config{
		"taken":    {Addr: taken.Addr().String()},
		"address":  {Addr: "nowhere"},
		"tls":      {Addr: "127.0.0.1:0", TLSCert: "missing", TLSKey: "missing"},
		"model":    {Addr: "127.0.0.1:0", Service: service.Options{Models: []service.Source{{Dir: t.TempDir()}}}},
		"detector": {Addr: "127.0.0.1:0", Service: service.Options{Models: []service.Source{{Detector: "missing/detector"}}}},
	} {
		if err := Run(t.Context(), c); err == nil {
			t.Errorf("%s: began all the same", name)
		}
	}
}

// Example serves the shipped model inside another program's server.
func ExampleHandler() {
	s, err := service.New(context.Background(), service.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	mux := http.NewServeMux()
	mux.Handle("/lxmert/", http.StripPrefix("/lxmert", Handler(s, Options{NoPage: true})))
	server := httptest.NewServer(mux)
	defer server.Close()

	picture, err := http.Get(server.URL + "/lxmert/v1/scenes?seed=6")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer picture.Body.Close()
	file, err := io.ReadAll(picture.Body)
	if err != nil {
		fmt.Println(err)
		return
	}
	body, _ := json.Marshal(map[string]any{"image": base64.StdEncoding.EncodeToString(file), "question": "How many hats are there?", "top_k": 1})
	answer, err := http.Post(server.URL+"/lxmert/v1/answers", "application/json", bytes.NewReader(body))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer answer.Body.Close()
	var out struct {
		Results []struct {
			Answers []struct{ Answer string }
		}
	}
	if err := json.NewDecoder(answer.Body).Decode(&out); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(out.Results[0].Answers[0].Answer)
	// Output: 2
}
