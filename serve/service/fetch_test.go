package service

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestPublic lets no address in that is not of the open internet.
func TestPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"8.8.8.8": true, "93.184.216.34": true, "2606:4700::1111": true,
		"127.0.0.1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false, "0.0.0.0": false, "100.64.1.1": false,
		"224.0.0.1": false, "255.255.255.255": false, "198.18.0.1": false, "192.0.2.7": false, "240.0.0.1": false,
		"::1": false, "::": false, "fe80::1": false, "fd00::1": false, "ff02::1": false, "::ffff:127.0.0.1": false, "::ffff:10.0.0.1": false,
		"64:ff9b::7f00:1": false, "2002:7f00:1::": false, "2001:db8::1": false, "fec0::1": false,
	} {
		if got := public(netip.MustParseAddr(address).Unmap()); got != want {
			t.Errorf("%s: found public %v, want %v", address, got, want)
		}
	}
}

func TestFetch(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/picture", func(w http.ResponseWriter, r *http.Request) { w.Write([]byte("a picture")) })
	mux.HandleFunc("/large", func(w http.ResponseWriter, r *http.Request) { w.Write(make([]byte, 1<<20)) })
	mux.HandleFunc("/missing", http.NotFound)
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	mux.HandleFunc("/file", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
	})
	mux.HandleFunc("/once", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/picture", http.StatusFound) })
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	server := httptest.NewServer(mux)
	defer server.Close()
	here := &Fetcher{Timeout: 200 * time.Millisecond, allow: func(netip.Addr) bool { return true }}
	for path, words := range map[string]string{
		"/picture": "", "/once": "", "/large": "more than 1000 bytes", "/missing": "answers 404", "/loop": "redirects", "/file": "want http:// or https://", "/slow": "too long",
	} {
		content, err := here.get(context.Background(), server.URL+path, 1000)
		switch {
		case words == "" && (err != nil || string(content) != "a picture"):
			t.Errorf("%s: found %q, %v", path, content, err)
		case words != "" && (err == nil || !strings.Contains(err.Error(), words)):
			t.Errorf("%s: found %v, want %q", path, err, words)
		case err != nil && KindOf(err) == Internal:
			t.Errorf("%s: found an internal error, %v", path, err)
		}
	}
	port := server.URL[strings.LastIndex(server.URL, ":"):]
	outside := &Fetcher{}
	for url, words := range map[string]string{
		"http://127.0.0.1/x.png": "not public", "http://localhost/x.png": "not public", "http://[::1]/x.png": "not public", "http://127.0.0.1" + port: "want 80 or 443",
		"ftp://example.org/x": "want http", "http:///x": "want http", "http://me:secret@example.org/x": "a name or a password", "::": "want http",
	} {
		_, err := outside.get(context.Background(), url, 1000)
		if err == nil || !strings.Contains(err.Error(), words) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: found %v, want %q", url, err, words)
		}
	}
	some := &Fetcher{Hosts: []string{"pictures.example.org", ".example.com"}}
	for host, want := range map[string]bool{"pictures.example.org": true, "PICTURES.example.org.": true, "example.org": false, "a.example.com": true, "example.com": false, "badexample.com": false} {
		if got := some.check("https://"+host+"/x") == nil; got != want {
			t.Errorf("%s: found allowed %v, want %v", host, got, want)
		}
	}
}
