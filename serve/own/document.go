package own

import (
	_ "embed"
	"net/http"
)

// openAPI describes the API: the document at /openapi.json.
//
//go:embed openapi.json
var openAPI []byte

func document(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Write(openAPI)
}
