# the second cloud, for weeks in which the first has no GPUs; scaled to nothing in May
resource "google_container_node_pool" "gpu" {
  cluster        = "ml-burst"
  location       = "us-central1"
  node_locations = ["us-central1-a", "us-central1-b", "us-central1-c"]

  autoscaling {
    min_node_count = 0
    max_node_count = 16
  }

  node_config {
    machine_type = "a2-highgpu-8g"
  }
}
