// Package deploy checks the examples of this directory as far as that goes without Docker and Kubernetes.
package deploy

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// read is a file of this directory.
func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestFlags: every flag that the examples name, also in comments, is one of lxmert serve's. docs/cli.md is the command's own help, and is
// tested to be.
func TestFlags(t *testing.T) {
	_, help, found := strings.Cut(read(t, "../docs/cli.md"), "\n## lxmert serve\n")
	if !found {
		t.Fatal("docs/cli.md has no lxmert serve")
	}
	help, _, _ = strings.Cut(help, "\n## ")
	known := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `--([a-z-]+)").FindAllStringSubmatch(help, -1) {
		known[m[1]] = true
	}
	foreign := map[string][]string{ // of other programs
		"Dockerfile": {"platform", "mount", "from", "chown", "interval", "timeout", "start-period", "retries", "rm"},
		"README.md":  {"now", "rm", "read-only", "cap-drop", "security-opt", "platform", "version", "health-cmd", "build-arg", "from-file", "dry-run", "for", "shard"},
	}
	flag := regexp.MustCompile(`(?:^|[\s"'\x60(\[])--([a-z][a-z-]*)`)
	for _, name := range []string{"lxmert.service", "lxmert.env", "Dockerfile", "kubernetes.yaml", "README.md", "../docs/operations.md"} {
		n := 0
		for _, m := range flag.FindAllStringSubmatch(read(t, name), -1) {
			if known[m[1]] {
				n++
			} else if !slices.Contains(foreign[name], m[1]) {
				t.Errorf("%s: lxmert serve has no flag --%s", name, m[1])
			}
		}
		if n == 0 && name != "lxmert.service" {
			t.Errorf("%s: found no flag of lxmert serve", name)
		}
	}
}

// unit is a systemd unit's settings by section and key, in their order.
func unit(t *testing.T, text string) map[string][]string {
	t.Helper()
	settings := map[string][]string{}
	section := ""
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		if line[0] == '[' {
			section = strings.Trim(line, "[]")
			continue
		}
		key, value, found := strings.Cut(line, "=")
		if !found {
			t.Errorf("line %q has no =", line)
		}
		key = section + "." + key
		settings[key] = append(settings[key], value)
	}
	return settings
}

// drainFlag finds --drain-timeout among flags.
func drainFlag(t *testing.T, text string) time.Duration {
	t.Helper()
	m := regexp.MustCompile(`--drain-timeout[ =]([0-9a-z]+)`).FindStringSubmatch(text)
	if m == nil {
		t.Fatal("no --drain-timeout")
	}
	d, err := time.ParseDuration(m[1])
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestUnit(t *testing.T) {
	text, env := read(t, "lxmert.service"), read(t, "lxmert.env")
	settings := unit(t, text)
	for key, want := range map[string]string{
		"Service.DynamicUser": "yes", "Service.KillSignal": "SIGTERM", "Service.Restart": "on-failure", "Service.NoNewPrivileges": "yes",
		"Service.ProtectSystem": "strict", "Service.CapabilityBoundingSet": "", "Service.EnvironmentFile": "-/etc/lxmert/lxmert.env",
		"Service.ExecStart": "/usr/local/bin/lxmert serve $LXMERT_FLAGS", "Install.WantedBy": "multi-user.target",
	} {
		if got := settings[key]; !slices.Equal(got, []string{want}) {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	stop, err := time.ParseDuration(settings["Service.TimeoutStopSec"][0])
	if drain := drainFlag(t, env); err != nil || stop < drain+10*time.Second {
		t.Errorf("systemd kills after %v, requests may take %v; %v", stop, drain, err)
	}
	if files, err := strconv.Atoi(settings["Service.LimitNOFILE"][0]); err != nil || files < 4096+1000 {
		t.Errorf("%d files are not enough for 4096 connections; %v", files, err)
	}
	for lines := bufio.NewScanner(strings.NewReader(env)); lines.Scan(); {
		if line := lines.Text(); line != "" && line[0] != '#' && !regexp.MustCompile(`^[A-Z_]+="[^"]*"$`).MatchString(line) {
			t.Errorf("lxmert.env: line %q sets no variable", line)
		}
	}
}

// TestSystemd asks systemd itself, where it is installed.
func TestSystemd(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	path := filepath.Join(t.TempDir(), "lxmert.service")
	text := strings.ReplaceAll(read(t, "lxmert.service"), "/usr/local/bin/lxmert", "/bin/true") // it wants programs to be there
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", path).CombinedOutput()
	if err != nil || bytes.Contains(out, []byte("lxmert.service")) {
		t.Errorf("%v: %s", err, out)
	}
	out, err = exec.CommandContext(t.Context(), "systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", path).CombinedOutput()
	if bytes.Contains(out, []byte("unrecognized option")) {
		t.Skip("this systemd does not judge files")
	}
	if err != nil {
		t.Errorf("exposure above 2.0: %v: %s", err, out)
	}
}

// TestDockerfile reads the last stage as Docker would.
func TestDockerfile(t *testing.T) {
	text := strings.ReplaceAll(read(t, "Dockerfile"), "\\\n", " ")
	var last []string // instructions of the stage that becomes the image
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		line := strings.TrimSpace(lines.Text())
		switch {
		case line == "" || line[0] == '#':
		case strings.HasPrefix(line, "FROM "):
			last = []string{line}
		default:
			last = append(last, line)
		}
	}
	if last[0] != "FROM scratch" {
		t.Errorf("the image begins with %q, want nothing in it", last[0])
	}
	user := ""
	for _, line := range last {
		word, rest, _ := strings.Cut(line, " ")
		switch word {
		case "RUN", "SHELL":
			t.Errorf("%q wants a shell, and there is none", line)
		case "ENTRYPOINT", "CMD":
			if !strings.HasPrefix(rest, `["`) {
				t.Errorf("%q wants a shell, and there is none", line)
			}
		case "HEALTHCHECK":
			if !strings.Contains(rest, `CMD ["/lxmert", "serve", "--check", `) {
				t.Errorf("%q does not ask the program itself", line)
			}
		case "USER":
			user = rest
		}
	}
	if !regexp.MustCompile(`^[1-9][0-9]+:[1-9][0-9]+$`).MatchString(user) {
		t.Errorf("user %q, want numbers that are not root's", user)
	}
	want := regexp.MustCompile(`(?m)^go (1\.\d+)`).FindStringSubmatch(read(t, "../go.mod"))
	if !strings.Contains(text, "ARG GO_VERSION="+want[1]+"\n") || !strings.Contains(text, "CGO_ENABLED=0") {
		t.Errorf("the Dockerfile builds with another Go than %s of go.mod, or with C", want[1])
	}
}

// at follows keys and indices into a YAML document; nil where they lead nowhere.
func at(doc any, way ...any) any {
	for _, step := range way {
		switch s := step.(type) {
		case string:
			m, _ := doc.(map[string]any)
			doc = m[s]
		case int:
			l, _ := doc.([]any)
			if s >= len(l) {
				return nil
			}
			doc = l[s]
		}
	}
	return doc
}

func TestKubernetes(t *testing.T) {
	text := read(t, "kubernetes.yaml")
	objects := map[string]any{}
	for documents := yaml.NewDecoder(strings.NewReader(text)); ; {
		var doc map[string]any
		if err := documents.Decode(&doc); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		kind, _ := doc["kind"].(string)
		objects[kind] = doc
		if kind != "Namespace" && at(doc, "metadata", "namespace") != "lxmert" {
			t.Errorf("%s is in namespace %v", kind, at(doc, "metadata", "namespace"))
		}
	}
	deployment := objects["Deployment"]
	pod := at(deployment, "spec", "template", "spec")
	container := at(pod, "containers", 0)

	for probe, path := range map[string]string{
		"startupProbe": "/v2/health/live", "livenessProbe": "/v2/health/live", "readinessProbe": "/v2/health/ready",
	} {
		if got := at(container, probe, "httpGet", "path"); got != path || at(container, probe, "httpGet", "port") != "http" {
			t.Errorf("%s asks %v", probe, got)
		}
	}

	// Names that must be the same in several places.
	ports := map[any]bool{}
	for i := range 3 {
		ports[at(container, "ports", i, "name")] = true
	}
	for _, name := range []any{
		at(objects["Service"], "spec", "ports", 0, "targetPort"), at(objects["Service"], "spec", "ports", 1, "targetPort"),
		at(objects["NetworkPolicy"], "spec", "ingress", 0, "ports", 0, "port"), at(objects["NetworkPolicy"], "spec", "ingress", 0, "ports", 1, "port"),
		at(objects["NetworkPolicy"], "spec", "ingress", 1, "ports", 0, "port"),
	} {
		if name == nil || !ports[name] {
			t.Errorf("port %v is none of the container's", name)
		}
	}
	const key = "app.kubernetes.io/name"
	for what, got := range map[string]any{
		"Deployment":          at(deployment, "spec", "selector", "matchLabels", key),
		"its pods":            at(deployment, "spec", "template", "metadata", "labels", key),
		"Service":             at(objects["Service"], "spec", "selector", key),
		"PodDisruptionBudget": at(objects["PodDisruptionBudget"], "spec", "selector", "matchLabels", key),
		"NetworkPolicy":       at(objects["NetworkPolicy"], "spec", "podSelector", "matchLabels", key),
		"autoscaler":          at(objects["HorizontalPodAutoscaler"], "spec", "scaleTargetRef", "name"),
	} {
		if got != "lxmert" {
			t.Errorf("%s selects %v", what, got)
		}
	}

	// The restricted profile of Kubernetes' pod security standards, and no way out.
	for what, ok := range map[string]bool{
		"runAsNonRoot":             at(pod, "securityContext", "runAsNonRoot") == true,
		"seccompProfile":           at(pod, "securityContext", "seccompProfile", "type") == "RuntimeDefault",
		"allowPrivilegeEscalation": at(container, "securityContext", "allowPrivilegeEscalation") == false,
		"capabilities":             at(container, "securityContext", "capabilities", "drop", 0) == "ALL",
		"readOnlyRootFilesystem":   at(container, "securityContext", "readOnlyRootFilesystem") == true,
		"service account":          at(pod, "automountServiceAccountToken") == false,
		"enforced":                 at(objects["Namespace"], "metadata", "labels", "pod-security.kubernetes.io/enforce") == "restricted",
		"egress": len(at(objects["NetworkPolicy"], "spec", "egress").([]any)) == 0 &&
			at(objects["NetworkPolicy"], "spec", "policyTypes", 1) == "Egress",
	} {
		if !ok {
			t.Errorf("%s is not as it should be", what)
		}
	}

	// Time to end, memory before the kernel's limit.
	grace, _ := at(pod, "terminationGracePeriodSeconds").(int)
	sleep, _ := at(container, "lifecycle", "preStop", "sleep", "seconds").(int)
	if drain := drainFlag(t, text); time.Duration(grace-sleep)*time.Second < drain+5*time.Second {
		t.Errorf("Kubernetes kills after %d s, of which %d s pass before SIGTERM; requests may take %v", grace, sleep, drain)
	}
	limit, err := strconv.Atoi(strings.TrimSuffix(at(container, "resources", "limits", "memory").(string), "Mi"))
	soft, err2 := strconv.Atoi(strings.TrimSuffix(at(container, "env", 0, "value").(string), "MiB"))
	if err := errors.Join(err, err2); err != nil || soft*10 > limit*9 || at(container, "env", 0, "name") != "GOMEMLIMIT" {
		t.Errorf("GOMEMLIMIT %d MiB, limit %d Mi, want nine tenths; %v", soft, limit, err)
	}
}
