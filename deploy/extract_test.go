package deploy

import (
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestKubernetesExtract: the job's pods know into how many parts the pictures are divided, and its flags are lxmert extract's.
func TestKubernetesExtract(t *testing.T) {
	objects := map[string]any{}
	for documents := yaml.NewDecoder(strings.NewReader(read(t, "kubernetes-extract.yaml"))); ; {
		var doc map[string]any
		if err := documents.Decode(&doc); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		kind, _ := doc["kind"].(string)
		objects[kind] = doc
		if at(doc, "metadata", "namespace") != "lxmert" {
			t.Errorf("%s is in namespace %v", kind, at(doc, "metadata", "namespace"))
		}
	}
	job, policy := objects["Job"], objects["NetworkPolicy"]
	pod := at(job, "spec", "template", "spec")
	container := at(pod, "containers", 0)
	completions, _ := at(job, "spec", "completions").(int)
	env := map[any]any{}
	for i := range 3 {
		env[at(container, "env", i, "name")] = at(container, "env", i, "value")
	}
	const name = "app.kubernetes.io/name"
	limit, err := strconv.Atoi(strings.TrimSuffix(at(container, "resources", "limits", "memory").(string), "Mi"))
	soft, err2 := strconv.Atoi(strings.TrimSuffix(env["GOMEMLIMIT"].(string), "MiB"))
	for what, ok := range map[string]bool{
		"completionMode":           at(job, "spec", "completionMode") == "Indexed",
		"JOB_COMPLETIONS":          completions > 1 && env["JOB_COMPLETIONS"] == strconv.Itoa(completions),
		"restartPolicy":            at(pod, "restartPolicy") == "Never" && at(job, "spec", "backoffLimitPerIndex") != nil,
		"memory":                   err == nil && err2 == nil && soft*10 <= limit*9,
		"labels":                   at(job, "spec", "template", "metadata", "labels", name) == at(policy, "spec", "podSelector", "matchLabels", name),
		"runAsNonRoot":             at(pod, "securityContext", "runAsNonRoot") == true,
		"seccompProfile":           at(pod, "securityContext", "seccompProfile", "type") == "RuntimeDefault",
		"allowPrivilegeEscalation": at(container, "securityContext", "allowPrivilegeEscalation") == false,
		"capabilities":             at(container, "securityContext", "capabilities", "drop", 0) == "ALL",
		"readOnlyRootFilesystem":   at(container, "securityContext", "readOnlyRootFilesystem") == true,
		"service account":          at(pod, "automountServiceAccountToken") == false,
	} {
		if !ok {
			t.Errorf("%s is not as it should be", what)
		}
	}
	_, help, _ := strings.Cut(read(t, "../docs/cli.md"), "\n## lxmert extract\n")
	help, _, _ = strings.Cut(help, "\n## ")
	shard := false
	args, _ := at(container, "args").([]any)
	for _, arg := range args {
		flag := regexp.MustCompile(`^--([a-z0-9-]+)`).FindStringSubmatch(arg.(string))
		if flag != nil && !strings.Contains(help, "`--"+flag[1]) && !strings.Contains(help, ", --"+flag[1]) {
			t.Errorf("lxmert extract has no flag --%s", flag[1])
		}
		shard = shard || arg == "--shard=auto"
	}
	if !shard {
		t.Errorf("arguments %v do not share the work", args)
	}
}
