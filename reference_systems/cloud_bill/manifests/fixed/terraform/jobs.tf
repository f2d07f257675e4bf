locals {
  hour = 3600
}

# a job that Terraform starts: evaluation of the checkpoint that is to be released
resource "kubernetes_job" "training" {
  metadata {
    name      = "evaluate-release"
    namespace = "training"
    labels    = { owner = "nlp" }
  }

  spec {
    ttl_seconds_after_finished = local.hour
    active_deadline_seconds    = 24 * local.hour

    template {
      metadata {}
      spec {
        restart_policy = "Never"
        container {
          name  = "evaluate"
          image = "registry.example.org/evaluate:2.0.0"
          resources {
            limits = { "nvidia.com/gpu" = 1 }
          }
        }
      }
    }
  }
  wait_for_completion = false
}
