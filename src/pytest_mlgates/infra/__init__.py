"""What Kubernetes and Terraform manifests say, with file and line, and the rules they must keep."""
