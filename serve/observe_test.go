package serve

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-lxmert/lxmert/serve/service"
	"github.com/go-lxmert/lxmert/serve/telemetry"
)

// TestRoutes: metrics name the route that has answered, whatever stands between the guard and the mux.
func TestRoutes(t *testing.T) {
	s, err := service.New(t.Context(), service.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	metrics := telemetry.New("")
	h := Handler(s, Options{Metrics: metrics})
	answer := httptest.NewRecorder()
	h.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/v1/scenes?seed=7", nil))
	if answer.Code != http.StatusOK {
		t.Fatalf("status %d: %s", answer.Code, answer.Body)
	}
	answer = httptest.NewRecorder()
	metrics.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/", nil))
	if want := `lxmert_request_seconds_count{code="200",method="GET",route="/v1/scenes"} 1`; !strings.Contains(answer.Body.String(), want) {
		t.Errorf("metrics have no %s", want)
	}
}
